"""Prices from the ERP to the tills: by the clock of each store, followed until each has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.exceptions.approve_price import approve_price
from app.retail.prices.approval import expire_version
from app.retail.prices.read import prices_at, read_propagation
from connectors.canonical.event import PRODUCT_SET
from connectors.catalog.http.emulator import Faults
from infra import clock
from infra.database.unit import begin
from tests.scenarios.prices import (
    OF_PLACES,
    ZONES,
    open_shop,
    price,
    states,
    told_amounts,
    wall,
)
from tests.scenarios.told import KeepingTarget, recorder
from tests.stage import Stage

LONG_AGO = "2026-01-01T00:00"
ACTIVE = "select count(*) from price_activation where state = 'active'"
SKEW_S = 60


async def test_one_price_for_all_begins_by_the_clock_of_each_store(
    stage: Stage, target: KeepingTarget
) -> None:
    """E-P01. Four zones, four moments; what begins later is not told before its time."""
    shop = await open_shop(stage)
    for number, zone in enumerate(ZONES, 1):
        await shop.store(str(number), zone, target.url, scopes=(f"region:{number}",))
    midnight = datetime(2027, 3, 1)  # noqa: DTZ001 - the clock on the wall
    begins = clock.now() + timedelta(seconds=4)

    async with shop.open():
        await shop.prices(price("P-0", "9.99", midnight.isoformat(), sku="LATER"))
        await shop.prices(
            *(
                price(
                    f"P-{n}",
                    f"{n}.00",
                    wall(begins, zone),
                    scope={"kind": "region", "name": str(n)},
                )
                for n, zone in enumerate(ZONES, 1)
            )
        )
        await shop.until("select count(*) from price_activation", 8)
        planned = await shop.rows(
            "select begins_at from price_activation where item = 'LATER' order by begins_at"
        )
        await shop.until(ACTIVE, 4)

    assert [row["begins_at"] for row in planned] == [
        datetime(2027, 3, 1, hour, tzinfo=UTC) for hour in (5, 6, 7, 8)
    ]
    assert sorted(told_amounts(target)) == [(str(n), f"{n}.000000") for n in range(1, 5)]
    moments = [datetime.fromtimestamp(entry.at_ns / 1e9, UTC) for entry in target.book.entries]
    assert all(begins <= moment for moment in moments)
    assert (max(moments) - begins).total_seconds() <= SKEW_S
    assert (await stage.ledger(shop.retailer)).unaccounted == 0


async def test_a_price_below_cost_or_of_a_cent_waits_and_all_others_go_on(
    stage: Stage, target: KeepingTarget
) -> None:
    """E-P08. Below cost, below the lowest advertised price, 0.01: each waits for approval."""
    shop = await open_shop(stage)
    await shop.store("1", ZONES[0], target.url)
    cost = {"money": {"amount": "4.00", "currency": "USD"}, "method": "standard"}
    product = {"product_id": "M", "title": "Mug", "variants": [{"sku": "MUG", "cost": cost}]}

    async with shop.open():
        await shop.tells(PRODUCT_SET, product)
        await shop.prices(
            price("MAP", "5.00", LONG_AGO, sku="CUP", kind="map"),
            price("COST", "3.99", LONG_AGO),
            price("LOW", "4.50", LONG_AGO, sku="CUP"),
            price("CENT", "0.01", LONG_AGO, sku="PEN"),
            price("FINE", "2.00", LONG_AGO, sku="BAG"),
        )
        await shop.until(ACTIVE, 1)
        held = await shop.rows("select code, words, amount from hold order by amount")
        waiting = await shop.rows("select id, object_id from price_version where state = 'held'")
        low = next(row["id"] for row in waiting if row["object_id"] == "LOW")
        await approve_price(
            shop.retailer.scope, stage.database, low, "Clearance, agreed.", lambda: None
        )
        await shop.until(ACTIVE, 2)
        await shop.until("select count(*) from hold where state = 'open'", 2)

    assert told_amounts(target) == [("1", "2.000000"), ("1", "4.500000")]
    assert [(row["code"], row["amount"]) for row in held] == [
        ("price.approval_needed", Decimal(amount)) for amount in ("0.01", "3.99", "4.50")
    ]
    assert "placeholder" in held[0]["words"]
    assert "cost of 4.00" in held[1]["words"]
    assert "lowest advertised price 5.00" in held[2]["words"]
    assert (await stage.ledger(shop.retailer)).unaccounted == 0


async def test_a_store_that_lacks_a_price_is_named_until_it_has_it(stage: Stage) -> None:
    shop = await open_shop(stage)
    (up, up_server), (down, down_server) = recorder(), recorder()
    async with up_server, down_server:
        for number in ("3", "4"):
            await shop.store(number, ZONES[0], up_server.url, connection="north")
        for number in ("12", "17"):
            await shop.store(number, ZONES[0], down_server.url, connection="south", phone="555-12")
        down.faults = Faults(unavailable=1.0)

        async with shop.open():
            await shop.prices(price("P-1", "9.99", LONG_AGO))
            await shop.until(ACTIVE, 2)
            # As if a minute had gone by since it was planned.
            await stage.write(
                shop.retailer,
                "update price_activation set planned_at = planned_at - interval '2 min'",
            )
            lacking = (
                "select count(*) from break where kind = 'price_not_everywhere' and state = '{}'"
            )
            await shop.until(lacking.format("open"), 1)
            told = await shop.rows("select words from break")
            down.faults = Faults()
            await shop.until(ACTIVE, 4)
            await shop.until(lacking.format("closed"), 1)

    (words,) = [row["words"] for row in told]
    assert words.startswith("2 of 4 stores sell MUG at yesterday's price since ")
    assert words.endswith(": 12, 17.")
    assert sorted(told_amounts(up)) == [("3", "9.990000"), ("4", "9.990000")]
    assert sorted(told_amounts(down)) == [("12", "9.990000"), ("17", "9.990000")]


async def test_a_place_that_schedules_is_told_ahead_and_its_price_becomes_active_by_the_clock(
    stage: Stage, target: KeepingTarget
) -> None:
    shop = await open_shop(stage)
    await shop.store("1", ZONES[0], target.url, schedules_ahead=True, lead_s=3600)
    begins = clock.now() + timedelta(seconds=5)

    async with shop.open():
        await shop.prices(price("P-1", "9.99", wall(begins, ZONES[0])))
        await shop.until("select count(*) from price_activation where state = 'accepted'", 1)
        told_at = clock.now()
        await shop.until(ACTIVE, 1)

    assert told_at < begins <= clock.now()
    (event,) = target.events()
    assert event["data"]["effective_from"] == wall(begins, ZONES[0])


async def test_the_newest_price_wins_and_what_ends_gives_way_to_what_held_before(
    stage: Stage, target: KeepingTarget
) -> None:
    shop = await open_shop(stage)
    await shop.store("1", ZONES[0], target.url)

    async with shop.open():
        await shop.prices(price("BASE", "9.99", LONG_AGO))
        await shop.until(ACTIVE, 1)
        await shop.prices(price("DROP", "7.77", "2026-02-01T00:00"))
        await shop.until(
            "select count(*) from price_activation where amount = 7.77 and state = 'active'", 1
        )
        (drop,) = await shop.rows("select id from price_version where object_id = 'DROP'")
        async with begin(shop.retailer.scope, stage.database) as session:
            await expire_version(session, drop["id"], "person:Ada", "Sent by mistake.")
        await shop.until(
            "select count(*) from price_activation where amount = 9.99 and state = 'active'", 1
        )

    async with begin(shop.retailer.scope, stage.database) as session:
        (now_there,) = await prices_at(session, "MUG")
        propagation = await read_propagation(session, drop["id"])
    assert [amount for _, amount in told_amounts(target)] == ["9.990000", "7.770000", "9.990000"]
    assert (now_there.amount, now_there.state) == (Decimal("9.99"), "active")
    assert propagation.says == "It holds nowhere now."


async def test_nothing_is_told_without_a_price_in_the_money_of_the_place_and_tax_is_converted(
    stage: Stage, target: KeepingTarget
) -> None:
    """E-P10, E-P11. No exchange of money; tax goes in by the rate of the place, or it is blocked."""
    shop = await open_shop(stage)
    await shop.store("1", ZONES[0], target.url, currency="CAD")
    await shop.store("2", ZONES[0], target.url, is_tax_inclusive=True, tax_rate=Decimal("0.08"))
    await shop.store("3", ZONES[0], target.url, is_tax_inclusive=True)

    async with shop.open():
        await shop.prices(price("P-1", "10.00", LONG_AGO))
        await shop.until(ACTIVE, 1)
        await shop.until("select count(*) from price_due", 0)
        rows = await shop.rows(OF_PLACES)

    assert told_amounts(target) == [("2", "10.800000")]
    assert target.events()[0]["data"]["tax_inclusive"] is True
    assert states(rows) == {"2": "active", "3": "failed"}
    assert "differ about tax" in next(row["words"] for row in rows if row["place"] == "3")


async def test_a_place_that_is_switched_off_or_has_no_flow_is_told_nothing_and_says_why(
    stage: Stage, target: KeepingTarget
) -> None:
    shop = await open_shop(stage)
    later = wall(clock.now() + timedelta(hours=1), ZONES[0])
    await shop.store("1", ZONES[0], target.url)
    await shop.store("2", ZONES[0], target.url, has_flow=False)
    await shop.store("3", ZONES[0], target.url)
    counted = "select count(*) from price_activation where state = '{}'"

    async with shop.open():
        await shop.prices(price("P-1", "9.99", LONG_AGO), price("P-2", "8.99", later))
        await shop.until(ACTIVE, 2)
        await shop.until(counted.format("failed"), 1)
        (failed,) = await shop.rows("select code, words from price_activation where code <> ''")
        await shop.store("3", ZONES[0], target.url, is_active=False)
        await shop.until(counted.format("withdrawn"), 1)
        await shop.store("3", ZONES[0], target.url)
        await shop.until(counted.format("withdrawn"), 0)
    await shop.store("3", ZONES[0], target.url)

    assert failed["code"] == "price.no_flow"
    assert failed["words"].startswith("No flow takes this to store-2. Install prices_to_stores")
    assert sorted(told_amounts(target)) == [("1", "9.990000"), ("3", "9.990000")]
    assert await shop.rows("select * from price_due") == []
