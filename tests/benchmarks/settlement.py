"""A settlement of 40,000 lines with 25 planted differences: from the file to the booked journal."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.intake.files import receive_file
from app.retail.breaks import list_breaks
from app.retail.journals.read import list_journals
from app.retail.journals.take import take_sales
from app.retail.settlements.keep import take_due
from infra.database.unit import begin
from tests.app.retail.settlements.report import Row, World, as_tsv, sold
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import open_scene
from tests.benchmarks.prepared import until_prepared
from tests.benchmarks.wholeday import peak_mb_of_this
from tests.chaos.world import World as Servers
from tests.stage import Retailer, Stage, open_stage

LINES_PER_ORDER = 5
ACCEPTED_AT_ONCE = 500
ORDERS_SINCE = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
SLACK = Decimal("0.05")
D = Decimal
Planted = set[tuple[str, str, Decimal]]


async def measure_settlement(world: Servers, lines: int) -> list[Figure]:
    """Measure reading, matching and booking; fails when a planted difference is not found exactly."""
    told = sold(lines // LINES_PER_ORDER)
    rows, unsold, planted = _plant(told)
    report = as_tsv(rows).encode()
    async with (
        open_scene(world, f"settlement_{lines}") as scene,
        open_stage(scene.database) as stage,
    ):
        retailer = await _open_shop(stage)
        await _sell(stage, retailer, told, unsold)
        read_s = await _read(stage, retailer, report)
        started_s = time.monotonic()
        (taken,) = await take_due(retailer.scope, stage.database, stage.vault)
        take_s = time.monotonic() - started_s
        async with begin(retailer.scope, stage.database) as session:
            breaks = await list_breaks(session, retailer.tenant_id)
            (journal,) = await list_journals(session, retailer.tenant_id, kind="settlement")
    found = {(each.kind, each.key.partition("/")[2], each.amount or D(0)) for each in breaks}
    false = [each for each in found - planted if abs(each[2]) > SLACK]
    payout = sum((D(row[4]) for row in rows), D(0))
    assert taken.proof.is_exact
    assert (taken.proof.told, len(rows)) == (payout, taken.matched.lines)
    assert sum((line.debit - line.credit for line in journal.lines), D(0)) == 0
    (cash,) = [line for line in journal.lines if line.role == "cash_in_transit"]
    assert cash.debit == payout
    return [
        Figure("settlement.lines", len(rows), f"lines, {len(report) / 1e6:.1f} MB"),
        Figure("settlement.read_s", read_s, "s, file to event, balance proof exact"),
        Figure("settlement.take_s", take_s, "s, matched, told and booked"),
        Figure("settlement.total_s", read_s + take_s, "s"),
        Figure("settlement.found", len(found & planted), f"of {len(planted)} planted differences"),
        Figure("settlement.false", len(false), "differences that nobody planted"),
        Figure("settlement.peak_mb", peak_mb_of_this(), "MB RSS, peak of this whole process"),
    ]


def _plant(told: World) -> tuple[list[Row], set[str], Planted]:
    """Change ten sales, five refunds; let five orders be unknown and five be settled twice."""
    rows = [*told.rows]
    at = {row[1]: index for index, row in reversed(list(enumerate(rows)))}
    orders = [each.order_ref for each in told.expected]
    step = len(orders) // 26
    planted: Planted = set()
    for number in range(1, 11):
        order = _not_refunded(orders, number * step)
        kind, _, type_, description, amount = rows[at[order]]
        rows[at[order]] = (kind, order, type_, description, str(D(amount) - D("0.06")))
        planted.add(("amount_differs", order, D("-0.06")))
    unsold = {_not_refunded(orders, number * step) for number in range(11, 16)}
    worth = {each.order_ref: each.sale for each in told.expected}
    planted |= {("orphan_settlement", order, worth[order]) for order in unsold}
    for number in range(16, 21):
        order = orders[number * step // 20 * 20]
        rows.append(("Refund", order, "ItemPrice", "Principal", "-0.07"))
        planted.add(("refund_differs", order, D("-0.07")))
    for number in range(21, 26):
        order = _not_refunded(orders, number * step)
        rows.append(("Order", order, "ItemPrice", "Shipping", "4.99"))
        planted.add(("amount_differs", order, D("4.99")))
    assert len(planted) == 25
    return rows, unsold, planted


def _not_refunded(orders: list[str], near: int) -> str:
    return orders[near // 20 * 20 + 7]


async def _open_shop(stage: Stage) -> Retailer:
    retailer = await stage.retailer()
    await stage.connect(retailer, "amazon", "http")
    await stage.connect(retailer, "payouts", "settlement_files", marketplace="amazon.com")
    await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
    types = ["retail.order.placed.v1", "retail.order.refunded.v1"]
    await stage.flow(retailer, "amazon", "target", types=types)
    # What is measured is the book, not a target.
    await stage.write(retailer, "update flow set is_paused = true")
    return retailer


async def _sell(stage: Stage, retailer: Retailer, told: World, unsold: set[str]) -> None:
    taxes = {row[1]: row[4] for row in told.rows if row[3] == "Tax"}
    events = [
        event
        for number, each in enumerate(told.expected)
        if each.order_ref not in unsold
        for event in _events(
            number, each.order_ref, each.sale, D(taxes[each.order_ref]), each.refunds
        )
    ]
    for start in range(0, len(events), ACCEPTED_AT_ONCE):
        await stage.accept(retailer, "amazon", *events[start : start + ACCEPTED_AT_ONCE])
    await until_prepared(stage, retailer)
    await take_sales(retailer.scope, stage.database, stage.vault)


def _events(
    number: int, order: str, price: Decimal, tax: Decimal, refunded: Decimal
) -> list[dict[str, Any]]:
    at = (ORDERS_SINCE + timedelta(minutes=number)).isoformat()
    head = {"specversion": "1.0", "source": "source", "time": at}
    line = {
        "line_id": "1", "sku": "SKU-001", "title": "Scarf", "quantity": "1",
        "unit_price": str(price), "net": str(price), "gross": str(price + tax),
        "taxes": [{"name": "State", "amount": str(tax)}],
    }  # fmt: skip
    sale = {
        "order_id": order, "number": order, "kind": "marketplace", "currency": "USD",
        "placed_at": at, "total": str(price + tax), "lines": [line],
    }  # fmt: skip
    events: list[dict[str, Any]] = [
        {**head, "id": order, "type": "retail.order.placed.v1", "data": sale}
    ]
    if refunded:
        given = str(-refunded)
        back = {
            "refund_id": f"r-{order}", "order_id": order, "currency": "USD", "happened_at": at,
            "amount": given, "tenders": [{"kind": "marketplace", "name": "Amazon", "amount": given}],
        }  # fmt: skip
        events.append(
            {**head, "id": f"r-{order}", "type": "retail.order.refunded.v1", "data": back}
        )
    return events


async def _read(stage: Stage, retailer: Retailer, report: bytes) -> float:
    started_s = time.monotonic()
    connection = retailer.connections["payouts"]
    await receive_file(retailer.scope, stage.files, connection, "report.txt", _once(report))
    await until_prepared(stage, retailer)
    held = await stage.rows(retailer, "select code, words from hold where state = 'open'")
    assert held == [], held
    return time.monotonic() - started_s


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
