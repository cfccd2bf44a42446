"""The Shopify connector: reads webhooks, sets stock."""

from __future__ import annotations

from connectors.catalog.shopify.mapping_in import read_message
from connectors.catalog.shopify.set_stock import set_stock
from connectors.sdk.connector import Connector, Dispatch
from connectors.sdk.message import RawMessage, Reading
from connectors.sdk.outcome import Outcome, Rejected
from connectors.sdk.transport import Transport


class ShopifyConnector(Connector):
    """A Shopify shop as source of orders and target of stock."""

    def read(self, message: RawMessage) -> Reading:
        """Turn one webhook into its canonical event."""
        return read_message(message)

    async def send(self, dispatch: Dispatch, transport: Transport) -> Outcome:
        """Set the stock of one SKU; any other action is not ours."""
        if dispatch.action != "set_stock":
            words = f'Shopify cannot do "{dispatch.action[:64]}". Correct the flow.'
            return Rejected("action.unknown", "", words)
        return await set_stock(dispatch, transport)


CONNECTOR = ShopifyConnector
