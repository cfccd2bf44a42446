"""A Shopify-like shop in one process: stock by GraphQL, orders by signed webhook, a log for judges.

It imitates what the vendor documents (access token, point bucket, idempotency keys, compare-and-set,
webhook headers and retries), with data of its own. It is another system and never part of ours.
"""

from connectors.catalog.shopify.emulator.rehearsal import rehearse
from connectors.catalog.shopify.emulator.state import ShopState
from connectors.catalog.shopify.emulator.web import app

__all__ = ["ShopState", "app", "rehearse"]
