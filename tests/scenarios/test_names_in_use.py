"""One article under three names: what systems say joins, and each is told in its own words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio

from app.identities.bind import end_binding, rename_object
from app.identities.merge import split_identity
from app.identities.review import accept_match, open_matches
from connectors.catalog.http.emulator import Recorder
from tests.app.exceptions.picky import PickyTarget
from tests.scenarios.named_shop import NamedShop, stock_told
from tests.stage import Stage, order_event

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ORDER = "retail.order.placed.v1"
STOCK = "retail.stock.position.v1"


@pytest_asyncio.fixture
async def shop(stage: Stage) -> AsyncIterator[NamedShop]:
    """A web shop, a till and an ERP; what the first two say goes to the ERP."""
    erp = PickyTarget()
    async with Recorder(erp) as recorder:
        named = NamedShop(stage, await stage.retailer())
        await named.connect("web")
        await named.connect("till")
        await named.target("erp", recorder.url, erp)
        await stage.flow(named.retailer, "web", "erp", types=[ORDER])
        await stage.flow(named.retailer, "web", "erp", types=[STOCK], ordering="strict")
        await stage.flow(named.retailer, "till", "erp", types=[STOCK], ordering="strict")
        yield named


def order(number: int, sku: str, at: str) -> dict[str, Any]:
    event = order_event(number, placed_at=at)
    event["data"]["lines"][0]["sku"] = sku
    return {**event, "time": at}


async def keys(shop: NamedShop) -> list[tuple[str, str]]:
    rows = await shop.stage.rows(shop.retailer, "select key, object_id from event order by id")
    return [(row["key"], row["object_id"]) for row in rows]


async def test_after_a_rename_at_noon_morning_and_evening_are_one_article(shop: NamedShop) -> None:
    """L10. The morning was told under the old SKU, the evening under the new one."""
    await shop.article("100", web="TS-1", till="77", erp="100")
    async with shop.act() as session:
        await rename_object(
            session, shop.name("web", "TS-1"), shop.name("web", "TEE-1"), NOON, "New season."
        )
    # Late and out of order, as a till that was offline tells it.
    await shop.stage.accept(shop.retailer, "web", order(1, "TEE-1", "2026-11-20T18:00:00+00:00"))
    await shop.stage.accept(shop.retailer, "web", order(2, "TS-1", "2026-11-20T09:00:00+00:00"))

    await shop.run()

    assert [told["lines"][0]["sku"] for told in shop.told("erp")] == ["100", "100"]
    assert await shop.holds() == []


async def test_two_systems_that_tell_of_one_article_share_its_lane(shop: NamedShop) -> None:
    await shop.article("100", web="TS-1", till="77", erp="E-100")
    await shop.stage.accept(
        shop.retailer, "web", stock_told("s-1", "TS-1", "4", "2026-11-20T09:00:00+00:00")
    )
    await shop.stage.accept(
        shop.retailer, "till", stock_told("s-2", "77", "3", "2026-11-20T09:30:00+00:00")
    )

    await shop.run()

    assert [key for key, _ in await keys(shop)] == ["stock:main/100", "stock:main/100"]
    assert [told["sku"] for told in shop.told("erp")] == ["E-100", "E-100"]


async def test_an_order_line_of_an_unknown_article_stays_with_its_money(shop: NamedShop) -> None:
    """The order goes on as a raw item, somebody is told, with what it may be."""
    await shop.article("100", web="TS-1", erp="100")
    await shop.stage.accept(shop.retailer, "web", order(1, "1-00", "2026-11-20T09:00:00+00:00"))

    await shop.run()

    (told,) = shop.told("erp")
    assert (told["total"], told["lines"][0].get("sku")) == ("20.00", None)
    (unknown,) = await shop.breaks("article.unknown")
    assert unknown["key"] == f"{shop.retailer.connections['web']}/1-00"
    assert (str(unknown["amount"]), unknown["currency"]) == ("20.000000", "USD")
    assert "Article 100 (nearly the same SKU)" in unknown["words"]

    async with shop.act() as session:
        (match,) = await open_matches(session, shop.retailer.connections["web"])
        await accept_match(session, match.id)
    assert await shop.breaks("article.unknown") == []


async def test_stock_of_an_unknown_article_waits_and_goes_on_when_it_is_accepted(
    shop: NamedShop,
) -> None:
    await shop.article("100", web="TS-1", erp="100")
    await shop.article("ABC-1", erp="E-7")
    await shop.stage.accept(
        shop.retailer, "web", stock_told("s-1", "abc1", "4", "2026-11-20T09:00:00+00:00")
    )
    await shop.run()
    (held,) = await shop.holds()
    assert (held["code"], held["pointer"]) == ("identity.article_unknown", "/body/sku")
    assert shop.told("erp") == []

    async with shop.act() as session:
        (match,) = await open_matches(session, shop.retailer.connections["web"])
        await accept_match(session, match.id)
    assert await shop.names_came() == 1
    await shop.run()

    assert [told["sku"] for told in shop.told("erp")] == ["E-7"]
    assert await shop.holds() == []


async def test_what_a_target_has_no_name_for_waits_until_somebody_says_it(shop: NamedShop) -> None:
    shirt = await shop.article("100", web="TS-1")
    await shop.article("200", erp="E-200")
    await shop.stage.accept(shop.retailer, "web", order(1, "TS-1", "2026-11-20T09:00:00+00:00"))
    await shop.run()
    (held,) = await shop.holds()
    assert (held["code"], held["pointer"]) == ("identity.no_name", "/body/lines/0/sku")

    await shop.bind("erp", "E-100", shirt)
    assert await shop.names_came() == 1
    await shop.run()

    assert [told["lines"][0]["sku"] for told in shop.told("erp")] == ["E-100"]


async def test_a_number_that_is_used_again_is_another_article(shop: NamedShop) -> None:
    """E-D19. What comes back under it was sold before, so it is the old article."""
    old = await shop.article("OLD", web="SKU-9", erp="E-old")
    async with shop.act() as session:
        await end_binding(session, shop.name("web", "SKU-9"), NOON, "Used again.")
    new = await shop.article("SKU-9", erp="E-new")
    await shop.bind("web", "SKU-9", new, NOON)
    await shop.stage.flow(shop.retailer, "web", "erp", types=["retail.order.refunded.v1"])
    await shop.stage.accept(shop.retailer, "web", order(1, "SKU-9", "2026-11-20T09:00:00+00:00"))
    await shop.stage.accept(shop.retailer, "web", order(2, "SKU-9", "2026-11-21T09:00:00+00:00"))
    await shop.run()

    await shop.stage.accept(shop.retailer, "web", refund_of(1, "SKU-9"))
    await shop.run()

    assert old != new
    told = {each.get("number", "back"): each["lines"][0]["sku"] for each in shop.told("erp")}
    assert told == {"#1": "E-old", "#2": "E-new", "back": "E-old"}


async def test_tickets_of_a_new_store_wait_for_its_name(shop: NamedShop) -> None:
    """E-D25. Nothing is lost, and nobody has to release them."""
    await shop.article("S-1", kind="location", web="1", erp="W1")
    ticket = order_event(1, store="41")
    await shop.stage.accept(shop.retailer, "web", ticket)
    await shop.run()
    (held,) = await shop.holds()
    assert (held["code"], held["pointer"]) == ("identity.place_unknown", "/body/store")

    await shop.article("S-41", kind="location", web="41", erp="W41")
    assert await shop.names_came() == 1
    await shop.run()

    assert [told["store"] for told in shop.told("erp")] == ["W41"]


async def test_of_a_customer_taken_apart_the_past_stays_where_it_was(shop: NamedShop) -> None:
    """E-D17. The new one has a new number; only what comes after is his."""
    both = await shop.article("C", kind="customer", web="c-1", till="c-2")
    async with shop.act() as session:
        new = await split_identity(
            session, both, [shop.name("web", "c-1", "customer")], NOON, "Two persons."
        )
    for number, at in ((1, "2026-11-20T09:00:00+00:00"), (2, "2026-11-20T18:00:00+00:00")):
        event = order_event(number, placed_at=at, customer={"external_id": "c-1"})
        await shop.stage.accept(shop.retailer, "web", {**event, "time": at})

    await shop.run()

    told = {each["number"]: each["customer"]["external_id"] for each in shop.told("erp")}
    assert told == {"#1": str(both), "#2": str(new)}


async def test_a_retailer_without_names_is_told_what_the_source_says(shop: NamedShop) -> None:
    await shop.stage.accept(shop.retailer, "web", order(1, "0007", "2026-11-20T09:00:00+00:00"))

    await shop.run()

    assert [told["lines"][0]["sku"] for told in shop.told("erp")] == ["0007"]


async def test_leading_zeros_and_capitals_are_part_of_a_name(shop: NamedShop) -> None:
    await shop.article("A", web="0007", erp="a")
    await shop.article("B", web="7", erp="b")
    await shop.article("C", web="x-7", erp="c")
    await shop.article("D", web="X-7", erp="d")
    for number, sku in enumerate(("0007", "7", "x-7", "X-7"), start=1):
        await shop.stage.accept(
            shop.retailer, "web", order(number, sku, "2026-11-20T09:00:00+00:00")
        )

    await shop.run()

    told = {each["number"]: each["lines"][0]["sku"] for each in shop.told("erp")}
    assert told == {"#1": "a", "#2": "b", "#3": "c", "#4": "d"}


def refund_of(number: int, sku: str) -> dict[str, Any]:
    line = order_event(number)["data"]["lines"][0]
    return {
        "specversion": "1.0",
        "id": f"r-{number}",
        "source": "source",
        "type": "retail.order.refunded.v1",
        "time": "2026-11-22T09:00:00Z",
        "data": {
            "refund_id": f"r-{number}",
            "order_id": f"o-{number}",
            "currency": "USD",
            "happened_at": "2026-11-22T09:00:00+00:00",
            "lines": [{**line, "sku": sku}],
            "amount": "20.00",
        },
    }


async def test_a_trade_number_on_two_articles_is_told_until_one_gives_it_up(
    shop: NamedShop,
) -> None:
    await shop.stage.flow(shop.retailer, "web", "erp", types=["retail.product.set.v1"])
    for version, (sku, gtin) in enumerate((("A", "6291041500213"), ("B", "06291041500213"))):
        await shop.stage.accept(shop.retailer, "web", product(sku, gtin, version))
    await shop.run()
    (told,) = await shop.breaks("gtin_duplicate")
    assert told["key"] == "06291041500213/each"
    assert "A had it first. Both are sold by their SKU" in told["words"]

    await shop.stage.accept(shop.retailer, "web", product("B", "8904000210037", 3))
    await shop.run()

    assert await shop.breaks("gtin_duplicate") == []
    assert len(shop.told("erp")) == 3


def product(sku: str, gtin: str, version: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"p-{sku}-{version}",
        "source": "source",
        "type": "retail.product.set.v1",
        "time": f"2026-11-20T10:0{version}:00Z",
        "objectversion": str(version),
        "data": {
            "product_id": f"P-{sku}",
            "title": "Scarf",
            "variants": [{"sku": sku, "gtins": [{"written": gtin}]}],
        },
    }
