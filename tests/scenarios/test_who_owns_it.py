"""Who may say what: foreign writes, two truths of one thing, and what goes to and fro."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from app.exceptions.release import release_hold
from app.ownership.freeze import thaw
from app.ownership.groups import Group, OnForeign
from app.ownership.matrix import Wanted
from app.ownership.set_rule import set_rule
from app.retail.voice import core_connection
from connectors.catalog.http.emulator import Recorder
from infra import clock
from infra.database.unit import begin
from tests.app.exceptions.picky import PickyTarget
from tests.scenarios.named_shop import NamedShop, stock_told
from tests.stage import Stage

STOCK = "retail.stock.position.v1"
MORNING = "2026-11-20T09:0{}:00+00:00"


@pytest_asyncio.fixture
async def shop(stage: Stage) -> AsyncIterator[NamedShop]:
    """A warehouse and an old middleware both tell an ERP of stock; the shop is told by the core."""
    erp, web = PickyTarget(), PickyTarget()
    async with Recorder(erp) as recorder, Recorder(web) as other:
        named = NamedShop(stage, await stage.retailer())
        await named.connect("warehouse")
        await named.connect("middleware")
        await named.target("erp", recorder.url, erp)
        await named.target("web", other.url, web)
        for source in ("warehouse", "middleware", "web"):
            await stage.flow(named.retailer, source, "erp", types=[STOCK])
        yield named


async def own(
    shop: NamedShop, owner: str, on_foreign: OnForeign = "hold", group: Group = "stock"
) -> None:
    async with shop.act() as session:
        await set_rule(
            session,
            Wanted(
                group,
                shop.retailer.connections[owner],
                "The warehouse counts.",
                clock.now().replace(year=2020),
                on_foreign=on_foreign,
            ),
        )


async def tell(shop: NamedShop, source: str, minute: int, available: str) -> None:
    event = stock_told(f"{source}-{minute}", "100", available, MORNING.format(minute))
    await shop.stage.accept(shop.retailer, source, event)
    await shop.run()


def available(shop: NamedShop, system: str = "erp") -> list[str]:
    return [told["available"] for told in shop.told(system)]


async def test_a_write_of_somebody_else_is_held_with_both_sides_shown(shop: NamedShop) -> None:
    await own(shop, "warehouse")
    await tell(shop, "warehouse", 1, "5")

    await tell(shop, "middleware", 2, "7")

    (held,) = await shop.holds()
    assert held["code"] == "ownership.foreign_write"
    assert held["words"].startswith(
        "Goods at hand at a place belong to warehouse. Of stock.available of 100 at main middleware"
        " says 7 (2026-11-20 09:02 UTC); warehouse said 5 at 2026-11-20 09:01 UTC."
    )
    assert available(shop) == ["5"]


async def test_what_a_person_releases_counts_this_once(shop: NamedShop) -> None:
    await own(shop, "warehouse")
    await tell(shop, "warehouse", 1, "5")
    await tell(shop, "middleware", 2, "7")
    (held,) = await shop.holds()

    await release_hold(
        shop.retailer.scope, shop.stage.database, held["id"], "Counted by hand.", lambda: None
    )
    await shop.run()

    assert available(shop) == ["5", "7"]


async def test_a_refused_write_is_left_aside_and_told(shop: NamedShop) -> None:
    await own(shop, "warehouse", "refuse")
    await tell(shop, "warehouse", 1, "5")

    await tell(shop, "middleware", 2, "7")

    (told,) = await shop.breaks("ownership.violation")
    assert told["key"] == "stock.available/100/main/middleware"
    assert available(shop) == ["5"]
    books = await shop.stage.ledger(shop.retailer)
    assert books.total.fates == {"delivered": 1, "skipped": 1}
    assert books.unaccounted == 0


async def test_a_write_accepted_by_rule_counts(shop: NamedShop) -> None:
    await own(shop, "warehouse", "accept")
    await tell(shop, "middleware", 2, "7")

    assert available(shop) == ["7"]
    assert await shop.holds() == []


async def test_who_repeats_the_owner_says_nothing_new(shop: NamedShop) -> None:
    await own(shop, "warehouse")
    await tell(shop, "warehouse", 1, "5")

    await tell(shop, "middleware", 2, "5.000")

    assert await shop.holds() == []
    assert available(shop) == ["5"]


async def test_what_somebody_edits_in_the_channel_is_put_back(shop: NamedShop) -> None:
    """E-C08. The owner's value goes back to the channel, and to nobody else."""
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        shop.retailer.connections["core"] = await core_connection(session)
    await shop.stage.flow(shop.retailer, "core", "web", types=[STOCK])
    await shop.stage.flow(shop.retailer, "core", "erp", types=[STOCK])
    await own(shop, "warehouse", "restore")
    await tell(shop, "warehouse", 1, "5")

    await tell(shop, "web", 2, "99")

    (told,) = await shop.breaks("ownership.violation")
    assert told["words"].endswith("the value of the owner sent back.")
    assert available(shop, "web") == ["5"]
    assert available(shop, "erp") == ["5"]


async def test_two_systems_that_state_different_things_are_both_named(shop: NamedShop) -> None:
    await tell(shop, "warehouse", 1, "5")
    await tell(shop, "middleware", 2, "7")
    await tell(shop, "middleware", 3, "7")

    await tell(shop, "warehouse", 4, "5")

    (told,) = await shop.breaks("truth.duplicate")
    assert told["key"] == "stock.available/100/main"
    assert "middleware says 7 (2 times, last 2026-11-20 09:03 UTC)" in told["words"]
    assert "warehouse says 5 (1 times, last 2026-11-20 09:04 UTC)" in told["words"]


async def test_what_goes_to_and_fro_is_frozen_until_a_person_thaws_it(shop: NamedShop) -> None:
    """E-C09. The old middleware is still on: three flips in ten minutes."""
    await tell(shop, "middleware", 0, "7")
    for minute, (source, said) in enumerate(
        [("warehouse", "5"), ("middleware", "7"), ("warehouse", "5"), ("middleware", "7")], start=1
    ):
        await tell(shop, source, minute, said)
    before = len(available(shop))
    await tell(shop, "warehouse", 6, "5")
    assert {held["code"] for held in await shop.holds()} == {"truth.frozen"}
    (told,) = await shop.breaks("truth.oscillation")
    assert "is frozen until you thaw it" in told["words"]
    assert len(available(shop)) == before

    await own(shop, "warehouse", "refuse")
    async with shop.act() as session:
        await thaw(session, "stock.available", "100", "main", "The middleware is off.")
    await tell(shop, "warehouse", 7, "4")
    await tell(shop, "middleware", 8, "7")

    assert available(shop)[-1] == "4"
    assert await shop.breaks("truth.oscillation") == []


async def test_a_rule_does_not_reach_back_before_it_was_effective(shop: NamedShop) -> None:
    async with shop.act() as session:
        await set_rule(
            session,
            Wanted(
                "stock",
                shop.retailer.connections["warehouse"],
                "From noon on the warehouse counts.",
                clock.now().replace(year=2026, month=11, day=20, hour=12),
            ),
        )

    await tell(shop, "middleware", 2, "7")

    assert available(shop) == ["7"]


async def test_of_one_place_another_system_may_be_the_owner(shop: NamedShop) -> None:
    await own(shop, "warehouse")
    async with shop.act() as session:
        await set_rule(
            session,
            Wanted(
                "stock",
                shop.retailer.connections["middleware"],
                "The store counts itself.",
                clock.now().replace(year=2020),
                place="store-1",
            ),
        )
    store: dict[str, Any] = stock_told("m-1", "100", "2", MORNING.format(1), "store-1")
    await shop.stage.accept(shop.retailer, "middleware", store)
    await tell(shop, "middleware", 2, "7")

    assert available(shop) == ["2"]
    assert [held["code"] for held in await shop.holds()] == ["ownership.foreign_write"]
