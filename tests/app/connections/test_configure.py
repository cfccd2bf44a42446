"""Connections: made once, changed when they differ, refused when the manifest says so."""

from __future__ import annotations

import asyncio

import pytest

from app.connections.configure import WantedConnection, ensure_connection
from app.connections.directory import ConnectionBook, list_connections, load_connection
from app.connections.freshness import FreshMemory
from infra.database.pool import Database
from infra.database.unit import begin
from infra.errors import PlatformError
from tests.app.connections.test_pace import Clock
from tests.app.retailer import make_retailer

SHOP = WantedConnection("shop", "shopify", "Shop", {"shop_domain": "maple.example"})


async def test_the_same_connection_wanted_twice_is_made_once(database: Database) -> None:
    retailer = await make_retailer(database)

    async with begin(retailer.scope, database) as session:
        first = await ensure_connection(session, SHOP)
    async with begin(retailer.scope, database) as session:
        second = await ensure_connection(session, SHOP)

    assert (first[1], second[1]) == (True, False)
    assert first[0] == second[0]
    assert [each.name for each in await list_connections(retailer.scope, database)] == ["shop"]


async def test_a_changed_setting_changes_the_connection_and_is_audited(database: Database) -> None:
    retailer = await make_retailer(database)
    async with begin(retailer.scope, database) as session:
        shop, _ = await ensure_connection(session, SHOP)

    async with begin(retailer.scope, database) as session:
        changed = WantedConnection("shop", "shopify", "Shop", {"currency": "USD"})
        again, is_changed = await ensure_connection(session, changed)

    assert (again, is_changed) == (shop, True)
    stored = await load_connection(retailer.scope, database, shop)
    assert stored is not None
    assert stored.settings == {"currency": "USD"}
    async with begin(retailer.scope, database) as session:
        lines = await session.fetch("select action, actor from audit order by seq")
    assert [tuple(line) for line in lines] == [
        ("connections.create_connection", "person.tester"),
        ("connections.change_connection", "person.tester"),
    ]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (WantedConnection("x", "no_such"), "connection.connector_unknown"),
        (WantedConnection("x", "../shopify"), "connection.connector_unknown"),
        (
            WantedConnection("x", "shopify", settings={"access_token": "secret"}),
            "connection.setting_unknown",
        ),
        (
            WantedConnection("x", "shopify", settings={"base_url": "ftp://shop.example"}),
            "connection.base_url_invalid",
        ),
        (
            WantedConnection("x", "shopify", settings={"base_url": "https://a:b@shop.example"}),
            "connection.base_url_invalid",
        ),
        (
            WantedConnection("x", "shopify", settings={"base_url": 5}),
            "connection.base_url_invalid",
        ),
        (
            WantedConnection("x", "shopify", settings={"base_url": "https://a.example/?x=1"}),
            "connection.base_url_invalid",
        ),
        (
            WantedConnection("x", "shopify", settings={"locations": float("nan")}),
            "connection.setting_invalid",
        ),
        (
            WantedConnection("x", "shopify", settings={"budget": {"rate_per_s": 0, "burst": 5}}),
            "connection.budget_invalid",
        ),
        (
            WantedConnection("x", "shopify", settings={"budget": 5}),
            "connection.budget_invalid",
        ),
        (WantedConnection("shop", "tryton"), "connection.connector_fixed"),
    ],
)
async def test_what_the_manifest_does_not_allow_is_refused_and_nothing_changes(
    database: Database, wanted: WantedConnection, code: str
) -> None:
    retailer = await make_retailer(database)
    async with begin(retailer.scope, database) as session:
        await ensure_connection(session, SHOP)

    with pytest.raises(PlatformError) as refusal:
        async with begin(retailer.scope, database) as session:
            await ensure_connection(session, wanted)

    assert refusal.value.code == code
    assert [
        (each.name, each.connector, each.settings)
        for each in await list_connections(retailer.scope, database)
    ] == [("shop", "shopify", {"shop_domain": "maple.example"})]


async def test_the_book_sees_a_change_at_once_when_told(database: Database) -> None:
    retailer = await make_retailer(database)
    erp = await retailer.connect("erp")
    book = ConnectionBook(database, retailer.vault)
    await book.find(retailer.id, erp)

    await retailer.connect("erp", base_url="https://new.example")
    book.forget(retailer.id, erp)

    found = await book.find(retailer.id, erp)
    assert found is not None
    assert found.config.origin == "https://new.example:443"


async def test_a_value_is_loaded_again_after_two_seconds_and_once_for_many_callers() -> None:
    clock, loads = Clock(), []

    async def load(key: str) -> int:
        loads.append(key)
        await asyncio.sleep(0)
        return len(loads)

    memory = FreshMemory(load, clock_s=clock)
    first = await asyncio.gather(*(memory.get("a") for _ in range(5)))
    clock.now_s += 1.9
    second = await memory.get("a")
    clock.now_s += 0.1
    third = await memory.get("a")

    assert (first, second, third) == ([1] * 5, 1, 2)


async def test_a_full_memory_forgets_what_was_used_longest_ago() -> None:
    loads: list[str] = []

    async def load(key: str) -> str:
        loads.append(key)
        return key

    memory = FreshMemory(load, max_entries=2, clock_s=Clock())
    for key in ("a", "b", "a", "c", "a", "b"):
        await memory.get(key)

    assert loads == ["a", "b", "c", "b"]


async def test_who_knows_of_a_change_gets_nothing_that_was_read_before_it() -> None:
    clock, loads = Clock(), []

    async def load(key: str) -> int:
        loads.append(key)
        return len(loads)

    memory = FreshMemory(load, clock_s=clock)
    first = await memory.get("a")
    clock.now_s += 1

    assert await memory.get("a") == first
    assert await memory.get("a", not_before_s=clock()) == first + 1
    assert await memory.get("a") == first + 1
