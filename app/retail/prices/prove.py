"""What is sold tells what a place charges: the right price is verified, another one is counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.connections.tenant import acting_tenant
from app.retail.breaks import Seen, see_breaks
from app.retail.prices.targets import Target, read_targets
from app.retail.told import Told
from connectors.canonical.event import ORDER_PLACED, TILL_SALE
from connectors.canonical.money import quantized
from connectors.canonical.order import Line, Order
from connectors.sdk.message import HoldRecord
from infra.database.unit import Row, Session
from infra.ids import Id
from infra.keys.vault import TenantKey

SALES = frozenset({TILL_SALE, ORDER_PLACED})
LEAKAGE = "price_leakage"

_HOLDING = """
select id, target_id, item, series, begins_at, ends_at, amount, verified_at is not null as is_verified
from price_activation
where tenant_id = $1 and subject = 'price' and item = any ($2) and target_id = any ($3)
    and begins_at <= $5 and (ends_at is null or ends_at > $4) and state <> 'withdrawn'
    and amount is not null
"""
_PROOFS = """
insert into price_proof (tenant_id, activation_id, sale, amount, leakage, sold_at)
select $1, * from unnest($2::uuid[], $3::text[], $4::numeric[], $5::numeric[], $6::timestamptz[])
on conflict do nothing
returning activation_id, leakage, amount
"""
_VERIFIED = """
update price_activation set verified_at = coalesce(verified_at, now()),
    verified_by = case when verified_by = '' then 'first_sale' else verified_by end,
    state = case when state in ('accepted', 'active', 'failed', 'sent') then 'verified' else state end,
    due_at = case when state in ('accepted', 'active', 'failed', 'sent')
        then coalesce(ends_at, 'infinity') else due_at end
where tenant_id = $1 and id = any ($2)
"""
_WRONG = """
update price_activation a set wrong_sales = a.wrong_sales + sold.count,
    leakage = a.leakage + sold.leakage
from unnest($2::uuid[], $3::int[], $4::numeric[]) as sold (id, count, leakage)
where a.tenant_id = $1 and a.id = sold.id
returning a.id, a.target_id, a.item, a.begins_at, a.amount, a.currency, a.wrong_sales, a.leakage
"""


@dataclass(frozen=True, slots=True)
class Sold:
    """One line of a sale at a place that takes prices."""

    sale: str
    target: Target
    line: Line
    at: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """A price that was charged, held against the one that should be."""

    activation_id: Id
    sold: Sold
    leakage: Decimal


async def take_as_proof(
    session: Session, _key: TenantKey, told: Sequence[Told]
) -> Mapping[Id, HoldRecord]:
    """Hold what was sold against what should be charged; a sale is never held back for its price.

    The same sale taken again counts once.
    """
    targets = await read_targets(session)
    sold = list(_lines(told, targets)) if targets else []
    if not sold:
        return {}
    rows = await session.fetch(
        _HOLDING,
        acting_tenant(session),
        sorted({each.line.sku or "" for each in sold}),
        sorted({each.target.id for each in sold}),
        min(each.at for each in sold),
        max(each.at for each in sold),
    )
    proofs = list(_proofs(sold, rows))
    if proofs:
        await _write(session, proofs, {each.id: each for each in targets})
    return {}


def _lines(told: Sequence[Told], targets: Sequence[Target]) -> Iterator[Sold]:
    stores = {each.place: each for each in targets if each.kind == "store"}
    channels = {each.connection_id: each for each in targets if each.kind == "channel"}
    for one in told:
        order = one.event.body
        if not isinstance(order, Order) or order.is_test:
            continue
        target = stores.get(order.store or "") or channels.get(one.connection_id)
        if target is None or not _is_comparable(order, target):
            continue
        for line in order.lines:
            if line.sku and line.quantity > 0 and not line.is_voided:
                sale = f"{order.order_id}/{line.line_id}"
                yield Sold(sale, target, line, order.placed_at)


def _is_comparable(order: Order, target: Target) -> bool:
    return (order.currency, order.tax_inclusive) == (target.currency, target.is_tax_inclusive)


def _proofs(sold: Sequence[Sold], rows: Sequence[Row]) -> Iterator[Proof]:
    holding: defaultdict[tuple[Id, str], list[Row]] = defaultdict(list)
    for row in rows:
        holding[row["target_id"], row["item"]].append(row)
    for each in sold:
        there = [
            row
            for row in holding[each.target.id, each.line.sku or ""]
            if row["begins_at"] <= each.at and (row["ends_at"] is None or each.at < row["ends_at"])
        ]
        found = _expected(there, each.line)
        if found is None:
            continue
        missing = (found["amount"] - each.line.unit_price) * each.line.quantity
        # A right price is written down once; a wrong one every time.
        if missing or not found["is_verified"]:
            yield Proof(found["id"], each, quantized(missing, each.target.currency))


def _expected(rows: Sequence[Row], line: Line) -> Row | None:
    """Find the price that a line should have: any list's, if it is just that, else the shelf's."""
    fitting = [row for row in rows if _least(row["series"], line) is not None]
    exact = [row for row in fitting if row["amount"] == line.unit_price]
    shelf = [row for row in fitting if row["series"].startswith("shelf/")]
    return max(
        exact or shelf, key=lambda row: _least(row["series"], line) or Decimal(0), default=None
    )


def _least(series: str, line: Line) -> Decimal | None:
    _, least, uom = series.split("/", 2)
    quantity = Decimal(least)
    return quantity if uom == line.uom and quantity <= line.quantity else None


async def _write(session: Session, proofs: Sequence[Proof], targets: Mapping[Id, Target]) -> None:
    tenant_id = acting_tenant(session)
    ordered = sorted(proofs, key=lambda each: (each.activation_id, each.sold.sale))
    new = await session.fetch(
        _PROOFS,
        tenant_id,
        [each.activation_id for each in ordered],
        [each.sold.sale for each in ordered],
        [each.sold.line.unit_price for each in ordered],
        [each.leakage for each in ordered],
        [each.sold.at for each in ordered],
    )
    right = sorted({row["activation_id"] for row in new if not row["leakage"]})
    if right:
        await session.execute(_VERIFIED, tenant_id, right)
    wrong: defaultdict[Id, list[Decimal]] = defaultdict(list)
    for row in new:
        if row["leakage"]:
            wrong[row["activation_id"]].append(row["leakage"])
    if wrong:
        ids = sorted(wrong)
        sums = [sum(wrong[each], Decimal(0)) for each in ids]
        rows = await session.fetch(_WRONG, tenant_id, ids, [len(wrong[each]) for each in ids], sums)
        found = [_leak(row, targets[row["target_id"]]) for row in rows]
        await see_breaks(session, tenant_id, found)


def _leak(row: Row, target: Target) -> Seen:
    lost, currency = row["leakage"], row["currency"]
    what = "lost" if lost > 0 else "charged too much"
    times = "once" if row["wrong_sales"] == 1 else f"{row['wrong_sales']} times"
    words = (
        f"{row['item']} was sold {times} at another price than {row['amount'].normalize():f}"
        f" {currency} at {target.title}: {abs(lost).normalize():f} {currency} {what} so far. Correct"
        " the price there."
    )
    return Seen(LEAKAGE, str(row["id"]), words, place=target.place, amount=lost, currency=currency)
