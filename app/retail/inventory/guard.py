"""The guard against a system that suddenly says that everything is gone.

A warehouse that answers 0 for all articles has more likely lost its own data than its goods. Showing
that would take everything off sale, so such counts are held until a person has looked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from app.retail.breaks import Seen, see_breaks
from app.retail.inventory.facts import StockFact
from app.retail.inventory.gather import SELLABLE_COUNTS
from app.retail.told import Told
from connectors.canonical.money import Money
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.ids import Id

BREAK = "stock_mass_zero"
# More than this share of a source's articles to nothing within the window; fewer than `FEWEST`
# articles are an ordinary afternoon in a small shop.
SHARE_0_1 = Decimal("0.2")
WINDOW = timedelta(minutes=5)
FEWEST = 10

# Only what had stock: (connection, article) pairs of this batch.
_HAD_STOCK = """
select z.connection_id, z.sku, max(p.quantity) as quantity,
    max(p.quantity * c.unit_price) as amount, min(c.currency) as currency
from unnest($2::uuid[], $3::text[], $4::text[]) as z (connection_id, sku, location)
join stock_position p on p.tenant_id = $1 and p.sku = z.sku and p.location = z.location
    and p.state = 'available' and p.quantity > 0
left join lateral (
    select unit_price, currency from channel_position
    where tenant_id = $1 and sku = z.sku and unit_price is not null limit 1) c on true
group by z.connection_id, z.sku
"""
_LATELY = """
select connection_id, count(distinct sku) as zeros from stock_fact f
where tenant_id = $1 and connection_id = any ($2) and kind = 'count' and told_at > now() - $3::interval
    and quantity = 0 and exists (
        select from stock_fact before where before.tenant_id = f.tenant_id and before.sku = f.sku
            and before.connection_id = f.connection_id and before.kind = 'count'
            and before.occurred_at < f.occurred_at and before.quantity > 0)
group by connection_id
"""
_ARTICLES = """
select count(distinct sku) from stock_fact
where tenant_id = $1 and connection_id = $2 and kind = 'count'
"""


async def hold_mass_zero(
    session: Session,
    tenant_id: UUID,
    told: Sequence[Told],
    facts: Mapping[Id, Sequence[StockFact]],
) -> dict[Id, HoldRecord]:
    """Give the events to hold: counts of nothing beyond a fifth of what their source counts.

    What a person released is believed.
    """
    zeros = _zeros(told, facts)
    if not any(len(each) for each in zeros.values()):
        return {}
    holds: dict[Id, HoldRecord] = {}
    had = await _had_stock(session, tenant_id, zeros)
    lately: dict[Id, int] = {}
    if had:
        rows = await session.fetch(_LATELY, tenant_id, sorted(had), WINDOW)
        lately = {row["connection_id"]: row["zeros"] for row in rows}
    for connection_id, stock in had.items():
        gone = len(stock) + lately.get(connection_id, 0)
        if gone < FEWEST:
            continue
        known = await session.fetch_value(_ARTICLES, tenant_id, connection_id)
        if gone <= SHARE_0_1 * known:
            continue
        await _tell(session, tenant_id, connection_id, stock, gone, known)
        for event_id, fact in zeros[connection_id]:
            if fact.sku in stock:
                holds[event_id] = _hold(fact, stock[fact.sku], gone, known)
    return holds


_Zeros = dict[Id, list[tuple[Id, StockFact]]]
# Of one article: what was on record, and what that is worth.
_Stock = tuple[Decimal, Money | None]


def _zeros(told: Sequence[Told], facts: Mapping[Id, Sequence[StockFact]]) -> _Zeros:
    found: defaultdict[Id, list[tuple[Id, StockFact]]] = defaultdict(list)
    for each in told:
        if each.revision:
            continue
        for fact in facts.get(each.event_id, ()):
            if fact.kind == "count" and not fact.quantity and fact.to_state in SELLABLE_COUNTS:
                found[each.connection_id].append((each.event_id, fact))
    return found


async def _had_stock(
    session: Session, tenant_id: UUID, zeros: _Zeros
) -> dict[Id, dict[str, _Stock]]:
    pairs = sorted(
        {
            (connection_id, fact.sku, fact.to_location)
            for connection_id, each in zeros.items()
            for _, fact in each
        }
    )
    rows = await session.fetch(
        _HAD_STOCK, tenant_id, *(list(column) for column in zip(*pairs, strict=True))
    )
    found: defaultdict[Id, dict[str, _Stock]] = defaultdict(dict)
    for row in rows:
        amount = None
        if row["amount"] is not None and row["currency"] is not None:
            amount = Money(amount=round(row["amount"], 2), currency=row["currency"])
        found[row["connection_id"]][row["sku"]] = (row["quantity"], amount)
    return found


async def _tell(
    session: Session,
    tenant_id: UUID,
    connection_id: Id,
    stock: Mapping[str, _Stock],
    gone: int,
    known: int,
) -> None:
    amounts = [amount for _, amount in stock.values() if amount is not None]
    currencies = {amount.currency for amount in amounts}
    is_one = len(currencies) == 1
    words = (
        f"One source set {gone} of its {known} articles to 0 within"
        f" {WINDOW.seconds // 60} minutes. Its stock is still shown as before. Ask whether the"
        " goods are really gone: release the held counts if so, discard them if not."
    )
    seen = Seen(
        BREAK,
        str(connection_id),
        words,
        amount=sum((amount.amount for amount in amounts), Decimal(0)) if is_one else None,
        currency=currencies.pop() if is_one else None,
    )
    await see_breaks(session, tenant_id, [seen])


def _hold(fact: StockFact, stock: _Stock, gone: int, known: int) -> HoldRecord:
    units, amount = stock
    return HoldRecord(
        "stock.mass_zero",
        "/quantity",
        f"{fact.sku} at {fact.to_location} had {units.normalize():f} and is said to have 0, like"
        f" {gone} of {known} articles of the same source within minutes. If the goods are really gone,"
        " release this; else discard it.",
        amount,
    )
