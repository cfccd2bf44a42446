"""Orders of a channel: placed, changed and refunded on other days, told in any order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from app.retail.journals.close import close_day
from tests.app.retail.journals.conftest import Shop
from tests.stage import Stage, order_event

FIRST, SECOND = date(2026, 11, 20), date(2026, 11, 21)


async def open_channel(stage: Stage) -> Shop:
    retailer = await stage.retailer()
    await stage.connect(retailer, "web", "http")
    await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
    types = [f"retail.order.{verb}.v1" for verb in ("placed", "changed", "refunded")]
    await stage.flow(retailer, "web", "target", types=types)
    await stage.write(retailer, "update flow set is_paused = true")
    return Shop(stage, retailer)


def told(verb: str, total: str, day: date, **data: Any) -> dict[str, Any]:
    event = order_event(1, version=f"{verb}{day}", total=total)
    at = f"{day}T10:00:00Z"
    event["type"], event["time"] = f"retail.order.{verb}.v1", at
    event["data"]["tenders"] = [{"kind": "card", "name": "Visa", "amount": total}]
    event["data"] = data or event["data"]
    return event


def refund(amount: str) -> dict[str, Any]:
    return told(
        "refunded", amount, SECOND, refund_id="r-1", order_id="o-1", currency="USD",
        happened_at=f"{SECOND}T12:00:00Z", amount=amount,
        tenders=[{"kind": "card", "name": "Visa", "amount": amount}],
    )  # fmt: skip


async def booked(shop: Shop) -> dict[tuple[date, str], Decimal]:
    """Close both days and give what was booked by day and role."""
    for day in (FIRST, SECOND):
        await close_day(shop.retailer.scope, shop.stage.database, shop.stage.vault, "web", day)
    return {
        (journal.day, line.role): line.debit - line.credit
        for journal in await shop.journals()
        for line in journal.lines
    }


async def test_an_order_changed_and_refunded_the_next_day_is_booked_there(stage: Stage) -> None:
    """L12. Placed for 20.00, changed to 15.00 the next day, 5.00 of that refunded."""
    events = [told("placed", "20.00", FIRST), told("changed", "15.00", SECOND), refund("5.00")]
    one, other = await open_channel(stage), await open_channel(stage)

    for event in events:
        await one.stage.accept(one.retailer, "web", event)
        await one.prepare()
        await one.look()
    for event in (*reversed(events), *events):
        await other.stage.accept(other.retailer, "web", event)
        await other.prepare()
        await other.look()

    wanted = {
        (FIRST, "revenue"): Decimal("-20.00"),
        (FIRST, "tender_clearing"): Decimal("20.00"),
        (SECOND, "revenue"): Decimal("5.00"),
        (SECOND, "returns"): Decimal("5.00"),
        (SECOND, "tender_clearing"): Decimal("-10.00"),
    }
    assert await booked(one) == wanted
    assert await booked(other) == wanted
