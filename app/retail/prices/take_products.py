"""Take what products say: what articles cost, and that one is recalled and must not be sold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.retail.prices.articles import set_articles
from app.retail.prices.book import Stored, add_versions, versions_of
from app.retail.prices.take import version_told
from app.retail.prices.wants import RECALLED
from app.retail.told import Told
from connectors.canonical.event import PRODUCT_SET
from connectors.canonical.product import Product
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.ids import Id
from infra.keys.vault import TenantKey

PRODUCTS = frozenset({PRODUCT_SET})


async def take_products(
    session: Session, _key: TenantKey, told: Sequence[Told]
) -> Mapping[Id, HoldRecord]:
    """Keep the cost and status of articles; a recall, and its end, goes to every place.

    A product that was never recalled is told to places by flows, not from here.
    """
    from_outside = [
        (one, one.event.body)
        for one in told
        if not one.event.to and isinstance(one.event.body, Product)
    ]
    if not from_outside:
        return {}
    await set_articles(session, from_outside)
    known = await versions_of(
        session,
        "product",
        {product.product_id for _, product in from_outside},
        with_superseded=True,
    )
    was_recalled = set(known)
    new: list[Stored] = []
    for one, product in from_outside:
        if product.status == RECALLED:
            was_recalled.add(product.product_id)
        if product.product_id in was_recalled:
            telling = version_told(one, product, product.product_id)
            if not any(map(telling.is_same_telling, known.get(product.product_id, ()))):
                new.append(telling)
    await add_versions(session, "product", new)
    return {}
