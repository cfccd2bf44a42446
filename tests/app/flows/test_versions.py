"""A mapping is published in versions, tried on stored events first, and every attempt tells its own."""

from __future__ import annotations

import pytest

from app.exceptions.release import release_hold
from app.flows.overrides import Fault
from app.flows.preview import PreviewParts, preview_overrides
from app.flows.versions import list_versions, read_version, roll_back
from infra.database.unit import begin
from infra.errors import Conflict, NotFound, Unprocessable
from tests.app.flows.conftest import MappedShop
from tests.stage import order_event

STORE_7 = {"path": "body.store", "kind": "constant", "value": "7"}
STORE_8 = {"path": "body.store", "kind": "constant", "value": "8"}
KNOWN_SKUS = {"path": "body.lines[*].sku", "kind": "lookup", "table": {"SKU-9": "10009"}}


def quiet() -> None:
    """Wake nobody: the tests let the engine run when they want."""


async def test_a_published_mapping_is_what_is_sent_and_what_the_attempt_tells(
    shop: MappedShop,
) -> None:
    await shop.sell(order_event(1))

    published = await shop.publish(STORE_7, note="The shop is store 7.")
    await shop.sell(order_event(2))

    assert [order.get("store") for order in shop.target.taken] == [None, "7"]
    attempts = await shop.stage.rows(shop.retailer, "select flow_version from attempt order by id")
    assert [each["flow_version"] for each in attempts] == [1, 2]
    assert (published.version, published.published_by) == (2, "test")
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        versions = await list_versions(session, shop.flow_id, 10)
    assert [(each.version, each.overrides, each.note) for each in versions] == [
        (2, (STORE_7,), "The shop is store 7."),
        (1, (), ""),
    ]
    (change,) = await shop.stage.rows(shop.retailer, "select kind, words, flow_id from change")
    assert (change["kind"], change["flow_id"]) == ("mapping", shop.flow_id)
    assert change["words"].endswith("was published (1 rule). The shop is store 7.")
    assert ("flows.publish_version", f"flow:{shop.flow_id}") in await shop.audited()


async def test_an_earlier_version_comes_back_as_a_new_one(shop: MappedShop) -> None:
    await shop.publish(STORE_7)
    await shop.publish(STORE_8)

    async with begin(shop.retailer.scope, shop.stage.database) as session:
        back = await roll_back(session, shop.flow_id, 2, "Store 8 was wrong.")
    await shop.sell(order_event(1))

    assert (back.version, back.overrides) == (4, (STORE_7,))
    assert back.note == "Back to version 2. Store 8 was wrong."
    assert [order["store"] for order in shop.target.taken] == ["7"]


async def test_what_is_pinned_is_sent_by_the_mapping_of_then(shop: MappedShop) -> None:
    shop.target.refused.add("o-1")
    await shop.publish(STORE_7)
    await shop.sell(order_event(1))
    await shop.publish(STORE_8)
    hold = await shop.one_hold()
    await shop.stage.write(shop.retailer, "update delivery set pinned_version = 2")
    shop.target.refused.clear()

    await release_hold(shop.retailer.scope, shop.stage.database, hold.id, "", quiet)
    await shop.work()

    assert [order["store"] for order in shop.target.taken] == ["7"]
    attempts = await shop.stage.rows(shop.retailer, "select flow_version from attempt order by id")
    assert [each["flow_version"] for each in attempts] == [2, 2]


async def test_a_pinned_version_that_is_not_there_is_a_persons_question(shop: MappedShop) -> None:
    shop.target.refused.add("o-1")
    await shop.sell(order_event(1))
    hold = await shop.one_hold()
    await shop.stage.write(shop.retailer, "update delivery set pinned_version = 9")
    await release_hold(shop.retailer.scope, shop.stage.database, hold.id, "", quiet)

    await shop.work()

    assert (await shop.one_hold()).code == "mapping.version_missing"
    assert shop.target.taken == []


async def test_a_value_that_no_table_knows_is_held_with_its_place_and_goes_on_when_mended(
    shop: MappedShop,
) -> None:
    await shop.publish(KNOWN_SKUS)
    await shop.sell(order_event(1))
    hold = await shop.one_hold()

    await shop.publish({**KNOWN_SKUS, "table": {"SKU-001": "10001"}})
    await release_hold(shop.retailer.scope, shop.stage.database, hold.id, "Table.", quiet)
    await shop.work()

    assert (hold.code, hold.pointer) == ("mapping.no_match", "/body/lines/0/sku")
    assert "lookup table of rule 1" in hold.words
    assert [order["lines"][0]["sku"] for order in shop.target.taken] == ["10001"]
    health = await shop.stage.rows(shop.retailer, "select state from connection_health")
    assert [each["state"] for each in health if each["state"] != "closed"] == []
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0


async def test_a_mapping_against_the_contract_holds_the_record_and_sends_nothing(
    shop: MappedShop,
) -> None:
    await shop.publish({"path": "body.total", "kind": "constant", "value": "much"})

    await shop.sell(order_event(1))

    hold = await shop.one_hold()
    assert (hold.code, hold.pointer) == ("mapping.fault", "/body/total")
    assert shop.target.taken == []


async def test_a_mapping_that_fails_does_not_hide_that_an_earlier_answer_was_lost(
    shop: MappedShop,
) -> None:
    shop.target.refused.add("o-1")
    await shop.sell(order_event(1))
    hold = await shop.one_hold()
    await shop.stage.write(shop.retailer, "update delivery set code = 'outcome.unknown'")
    await shop.publish(KNOWN_SKUS)

    await release_hold(shop.retailer.scope, shop.stage.database, hold.id, "", quiet)
    await shop.work()

    again = await shop.one_hold()
    assert (again.code, again.pointer) == ("outcome.unknown", "/body/lines/0/sku")
    assert again.words.endswith("An earlier answer was lost: the target may have this already.")


async def test_rules_that_cannot_be_used_are_not_published(shop: MappedShop) -> None:
    with pytest.raises(Unprocessable):
        await shop.publish({"path": "body.nothing", "kind": "constant", "value": "1"})

    assert await shop.stage.rows(shop.retailer, "select version from flow_version") == []
    assert await shop.stage.rows(shop.retailer, "select version from flow") == [{"version": 1}]


async def test_who_has_not_seen_the_latest_version_publishes_nothing(shop: MappedShop) -> None:
    await shop.publish(STORE_7, based_on=1)

    with pytest.raises(Conflict) as refusal:
        await shop.publish(STORE_8, based_on=1)

    assert refusal.value.code == "flow.version_changed"
    assert await shop.stage.rows(shop.retailer, "select version from flow") == [{"version": 2}]


async def test_a_preview_says_what_would_change_and_what_would_fail_and_changes_nothing(
    shop: MappedShop,
) -> None:
    await shop.sell(order_event(1), order_event(2, store="7"), order_event(3))
    parts = PreviewParts(shop.stage.database, shop.stage.vault)

    changing = await preview_overrides(shop.retailer.scope, parts, shop.flow_id, [STORE_7], 50)
    failing = await preview_overrides(shop.retailer.scope, parts, shop.flow_id, [KNOWN_SKUS], 2)

    assert [(each.label, each.effect) for each in changing.samples] == [
        ("Order #3", "changed"),
        ("Order #2", "same"),
        ("Order #1", "changed"),
    ]
    assert (changing.count("changed"), changing.count("same"), changing.based_on) == (2, 1, 1)
    assert [each.effect for each in failing.samples] == ["fails", "fails"]
    assert isinstance(failing.samples[0].fault, Fault)
    assert await shop.stage.rows(shop.retailer, "select version from flow") == [{"version": 1}]
    assert len(shop.target.taken) == 3


async def test_a_foreign_flow_has_no_versions(shop: MappedShop) -> None:
    await shop.publish(STORE_7)
    other = await shop.stage.retailer()

    for version in (1, 2):
        with pytest.raises(NotFound):
            async with begin(other.scope, shop.stage.database) as session:
                await read_version(session, shop.flow_id, version)
    with pytest.raises(NotFound):
        async with begin(other.scope, shop.stage.database) as session:
            await list_versions(session, shop.flow_id, 10)
