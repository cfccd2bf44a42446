"""Promotions begin and end at every place; a recalled product is off sale everywhere, or named."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.retail.inventory.rules import NewRule, put_rule
from connectors.canonical.event import PRODUCT_SET, PROMOTION_SET
from connectors.catalog.http.emulator import Faults
from infra import clock
from infra.database.unit import begin
from tests.scenarios.prices import ZONES, open_shop, wall
from tests.scenarios.told import KeepingTarget, recorder
from tests.stage import Stage

LONG_AGO = "2026-01-01T00:00"
ACTIVE = "select count(*) from price_activation where state = 'active'"


def promotion(promotion_id: str, begins: str, **changes: Any) -> dict[str, Any]:
    told = {"promotion_id": promotion_id, "name": promotion_id.title(), "kind": "percent"}
    return {**told, "benefit": {"percent": "20"}, "effective_from": begins, **changes}


async def test_a_promotion_begins_and_ends_where_it_is_meant_for(
    stage: Stage, target: KeepingTarget
) -> None:
    shop = await open_shop(stage)
    for number, zone in (("1", ZONES[0]), ("2", ZONES[0]), ("3", ZONES[3])):
        await shop.store(number, zone, target.url)
    begins, ends = clock.now() + timedelta(seconds=2), clock.now() + timedelta(seconds=5)
    told = promotion(
        "black", wall(begins, ZONES[0]), effective_to=wall(ends, ZONES[0]),
        eligibility={"stores": ["1", "2"]},
    )  # fmt: skip

    async with shop.open():
        await shop.tells(PROMOTION_SET, told)
        await shop.until(
            "select count(*) from price_activation where is_end and state = 'active'", 2
        )
        await shop.until("select count(*) from price_activation where state = 'expired'", 2)
    events = [(e["subject"], e["data"]["effective_to"]) for e in target.events()]
    moments = sorted(entry.at_ns / 1e9 for entry in target.book.entries)

    assert sorted(events) == sorted(
        (f"promotion:{n}/black", wall(ends, ZONES[0])) for n in ("1", "1", "2", "2")
    )
    assert all(begins.timestamp() <= at < ends.timestamp() for at in moments[:2])
    assert all(ends.timestamp() <= at for at in moments[2:])


async def test_two_exclusive_promotions_that_can_meet_are_listed_before_they_begin(
    stage: Stage, target: KeepingTarget
) -> None:
    """E-P03. Listed at once, with the one that counts; gone from the list when they cannot meet."""
    shop = await open_shop(stage)
    await shop.store("1", ZONES[0], target.url)
    conflict = "select count(*) from break where kind = 'promotion_conflict' and state = '{}'"

    async with shop.open():
        await shop.tells(PROMOTION_SET, promotion("b-10", "2027-11-26T00:00"))
        await shop.tells(PROMOTION_SET, promotion("a-20", "2027-11-27T00:00"))
        await shop.until(conflict.format("open"), 1)
        (found,) = await shop.rows("select key, words from break")
        await shop.tells(PROMOTION_SET, promotion("a-20", "2027-11-27T00:00", priority=1))
        await shop.until(conflict.format("closed"), 1)

    assert found["key"] == "a-20|b-10"
    assert "when both take the same, B-10 (b-10)" in found["words"]
    assert target.events() == []


async def test_a_recalled_product_is_stopped_everywhere_or_the_place_is_named_with_its_phone(
    stage: Stage,
) -> None:
    shop = await open_shop(stage)
    (up, up_server), (down, down_server) = recorder(), recorder()
    async with up_server, down_server:
        await shop.store("1", ZONES[0], up_server.url)
        await shop.store("17", ZONES[3], down_server.url, phone="+1 555 0117")
        down.faults = Faults(unavailable=1.0)
        cost = {"money": {"amount": "4.00", "currency": "USD"}, "method": "standard"}
        product = {
            "product_id": "MUG",
            "title": "Mug",
            "variants": [{"sku": "MUG-1", "cost": cost}],
        }

        async with shop.open():
            await shop.tells(PRODUCT_SET, product)
            await shop.tells(PRODUCT_SET, product | {"status": "recalled"})
            await shop.until(ACTIVE, 1)
            # As if five minutes had gone by.
            await stage.write(
                shop.retailer,
                "update price_activation set planned_at = planned_at - interval '6 min'",
            )
            named = (
                "select count(*) from break where kind = 'recall_not_everywhere' and state = '{}'"
            )
            await shop.until(named.format("open"), 1)
            (lack,) = await shop.rows("select words from break")
            down.faults = Faults()
            await shop.until(ACTIVE, 2)
            await shop.until(named.format("closed"), 1)
            await shop.tells(PRODUCT_SET, product)
            await shop.until(
                "select count(*) from price_activation where is_end and state = 'active'", 2
            )

    assert lack["words"] == (
        "Recall of MUG: 1 of 2 places have not stopped selling it. Call them now:"
        " store 17 (+1 555 0117)."
    )
    assert [event["data"].get("status", "active") for event in up.events()] == [
        "recalled",
        "active",
    ]
    assert "cost" not in up.events()[0]["data"]["variants"][0]


async def test_a_recall_takes_the_article_off_the_stock_of_channels_and_its_end_gives_it_back(
    stage: Stage, target: KeepingTarget
) -> None:
    shop = await open_shop(stage)
    await shop.store("web", ZONES[0], target.url, kind="channel")
    connection_id = shop.retailer.connections["store-web"]
    product = {
        "product_id": "MUG", "title": "Mug", "variants": [{"sku": "MUG-1"}, {"sku": "MUG-2"}],
    }  # fmt: skip
    most = "select publish_most from channel_rule where sku = '{}'"
    async with begin(shop.retailer.scope, stage.database) as session:
        await put_rule(session, connection_id, "", NewRule(safety_units=2))
        await put_rule(session, connection_id, "MUG-2", NewRule(publish_most=7))

    async with shop.open():
        await shop.tells(PRODUCT_SET, product | {"status": "recalled"})
        await shop.until(most.format("MUG-1"), 0)
        await shop.until(most.format("MUG-2"), 0)
        (stopped,) = await shop.rows("select * from channel_rule where sku = 'MUG-1'")
        await shop.tells(PRODUCT_SET, product)
        await shop.until(most.format("MUG-1"), None)
        await shop.until(most.format("MUG-2"), 7)

    assert (stopped["safety_units"], stopped["reason"]) == (2, "Recalled: sale is stopped.")
