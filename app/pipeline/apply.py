"""Apply what a batch says to the retail core, in the batch's own transaction and without network.

A taker gets the events of its types in order of acceptance and gives back what it must refuse: the
messages of those are held, all others go on. A released record comes again, so taking twice is
harmless. What takes time is only marked as due here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from app.pipeline.reading import Read, Refused
from app.retail.inventory.take import take_stock
from app.retail.inventory.telling import TAKES as TAKES_STOCK
from app.retail.orders.take import TAKES as TAKES_ORDERS
from app.retail.orders.take import take_orders
from app.retail.prices.prove import SALES, take_as_proof
from app.retail.prices.take import PRICES, take_prices
from app.retail.prices.take_products import PRODUCTS, take_products
from app.retail.prices.take_promotions import PROMOTIONS, take_promotions
from app.retail.returns.prices_paid import SALE_TYPES, take_prices_paid
from app.retail.returns.take import RETURN_TYPES, take_returns
from app.retail.settlements.told import take_settlements
from app.retail.told import Told
from connectors.canonical.event import SETTLEMENT_TOLD
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.ids import Id
from infra.keys.vault import TenantKey

Taker = Callable[[Session, TenantKey, Sequence[Told]], Awaitable[Mapping[Id, HoldRecord]]]

# Who takes which types; a type may have many takers, in this order.
TAKERS: tuple[tuple[frozenset[str], Taker], ...] = (
    (RETURN_TYPES, take_returns),
    (SALE_TYPES, take_prices_paid),
    (frozenset({SETTLEMENT_TOLD}), take_settlements),
    (TAKES_ORDERS, take_orders),
    (TAKES_STOCK, take_stock),
    # Products first: what an article costs judges the price that comes with it.
    (PRODUCTS, take_products),
    (PRICES, take_prices),
    (PROMOTIONS, take_promotions),
    (SALES, take_as_proof),
)
TAKEN: frozenset[str] = frozenset().union(*(types for types, _ in TAKERS))


async def apply(session: Session, key: TenantKey, read: Sequence[Read]) -> list[Refused]:
    """Let every taker have its events; gives the messages that must be held."""
    refused: list[Refused] = []
    for types, take in TAKERS:
        told = {one.id: one for one in read if one.event.type in types}
        if told:
            holds = await take(session, key, [_told(one) for one in told.values()])
            refused += [Refused(told[event_id].message, hold) for event_id, hold in holds.items()]
    return refused


def _told(read: Read) -> Told:
    message = read.message
    return Told(
        read.id,
        message.connection_id,
        read.event,
        message.received_at,
        message.revision,
        message.id,
    )
