"""What is sold shows what a store charges: verified by its first sale, or money that leaks."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.canonical.event import TILL_SALE
from infra import clock
from tests.scenarios.prices import ZONES, Shop, open_shop, price
from tests.scenarios.told import KeepingTarget
from tests.stage import Stage

LONG_AGO = "2026-01-01T00:00"
ACTIVE = "select count(*) from price_activation where state = 'active'"
LEAKING = "select wrong_sales from price_activation"


def ticket(
    number: int, store: str, unit_price: str, at: datetime, count: int = 1
) -> dict[str, Any]:
    total = str(Decimal(unit_price) * count)
    line = {
        "line_id": "1", "sku": "MUG", "title": "Mug", "quantity": str(count),
        "unit_price": unit_price, "net": total, "gross": total,
    }  # fmt: skip
    return {
        "order_id": f"{store}/{number}", "number": str(number), "kind": "pos", "currency": "USD",
        "placed_at": at.isoformat(), "business_day": at.date().isoformat(), "store": store,
        "workstation": "1", "sequence": str(number), "lines": [line], "total": total,
    }  # fmt: skip


async def selling(stage: Stage, target: KeepingTarget, *stores: str) -> Shop:
    shop = await open_shop(stage)
    for number in stores:
        await shop.store(number, ZONES[0], target.url)
    return shop


async def test_the_first_sale_at_the_price_verifies_it_and_another_price_leaks(
    stage: Stage, target: KeepingTarget
) -> None:
    shop = await selling(stage, target, "12", "17")

    async with shop.open():
        await shop.prices(price("P-1", "9.99", LONG_AGO))
        await shop.until(ACTIVE, 2)
        now = clock.now()
        await shop.tells(
            TILL_SALE,
            ticket(1, "12", "9.99", now),
            ticket(2, "17", "7.99", now, 3),
            ticket(3, "17", "7.99", now),
        )
        await shop.until("select sum(wrong_sales)::int from price_activation", 2)
    rows = await shop.rows(
        "select t.place, a.state, a.verified_by, a.wrong_sales, a.leakage from price_activation a"
        " join price_target t on t.id = a.target_id order by t.place"
    )
    breaks = await shop.rows("select place, amount, words from break where kind = 'price_leakage'")

    assert [tuple(row.values()) for row in rows] == [
        ("12", "verified", "first_sale", 0, Decimal(0)),
        ("17", "active", "", 2, Decimal("8.00")),
    ]
    assert [tuple(row.values()) for row in breaks] == [
        (
            "17",
            Decimal("8.00"),
            (
                "MUG was sold 2 times at another price than 9.99 USD at store 17: 8 USD lost so far."
                " Correct the price there."
            ),
        )
    ]


async def test_a_sale_of_before_is_held_against_the_price_of_before(
    stage: Stage, target: KeepingTarget
) -> None:
    shop = await selling(stage, target, "12")

    async with shop.open():
        await shop.prices(price("P-1", "9.99", LONG_AGO))
        await shop.until(ACTIVE, 1)
        before = clock.now()
        await shop.prices(price("P-2", "8.49", "2026-02-01T00:00"))
        await shop.until(
            "select count(*) from price_activation where amount = 8.49 and state = 'active'", 1
        )
        # A store that was offline uploads: sold in January, at the price of January.
        sold = before - timedelta(days=300)
        await shop.tells(TILL_SALE, ticket(1, "12", "9.99", sold), ticket(2, "12", "8.49", before))
        await shop.until("select count(*) from price_proof", 2)
    rows = await shop.rows("select amount, wrong_sales from price_activation order by begins_at")

    assert [tuple(row.values()) for row in rows] == [(Decimal("9.99"), 0), (Decimal("8.49"), 0)]


async def test_the_same_sale_told_again_leaks_once(stage: Stage, target: KeepingTarget) -> None:
    shop = await selling(stage, target, "12")

    async with shop.open():
        await shop.prices(price("P-1", "9.99", LONG_AGO))
        await shop.until(ACTIVE, 1)
        sale = ticket(1, "12", "9.00", clock.now())
        await shop.tells(TILL_SALE, sale)
        await shop.until(LEAKING, 1)
        await shop.tells(TILL_SALE, sale | {"number": "1"}, ticket(2, "12", "9.99", clock.now()))
        await shop.until("select count(*) from price_proof", 2)
    (row,) = await shop.rows("select wrong_sales, leakage, state from price_activation")

    assert tuple(row.values()) == (1, Decimal("0.99"), "verified")
