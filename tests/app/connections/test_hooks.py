"""Hook addresses: found by their token alone, stored only as a hash, rotated with overlap."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from app.connections.hooks import HookBook, HookOwner, find_hook, has_hook, issue_hook, rotate_hook
from infra.clock import now
from infra.database.pool import Database
from infra.database.unit import begin
from infra.errors import NotFound
from tests.app.retailer import make_retailer


async def test_a_token_leads_to_its_connection_and_is_not_stored(database: Database) -> None:
    retailer = await make_retailer(database)
    shop = await retailer.connect("shop", "shopify")

    async with begin(retailer.scope, database) as session:
        token = await issue_hook(session, shop)

    assert len(token) == 43
    assert await find_hook(token, database) == HookOwner(retailer.id, shop)
    assert await HookBook(database).find(token) == HookOwner(retailer.id, shop)
    async with begin(retailer.scope, database) as session:
        stored = await session.fetch("select token_hash from hook_token")
        assert await has_hook(session, shop)
    assert [len(row["token_hash"]) for row in stored] == [32]
    assert token.encode() not in stored[0]["token_hash"]


@pytest.mark.parametrize("token", ["", "short", "a" * 43, "x" * 10_000, "a b" * 15, "ü" * 43])
async def test_a_wrong_token_leads_nowhere(database: Database, token: str) -> None:
    assert await find_hook(token, database) is None
    assert await HookBook(database).find(token) is None


async def test_a_rotated_token_works_for_a_day_beside_the_new_one(database: Database) -> None:
    retailer = await make_retailer(database)
    shop = await retailer.connect("shop", "shopify")
    async with begin(retailer.scope, database) as session:
        old = await issue_hook(session, shop)
        new = await rotate_hook(session, shop)
    owner = HookOwner(retailer.id, shop)

    within = [await find_hook(token, database) for token in (old, new)]
    with time_machine.travel(now() + timedelta(hours=24, seconds=1), tick=False):
        after = [await find_hook(token, database) for token in (old, new)]

    assert within == [owner, owner]
    assert after == [None, owner]


async def test_rotating_twice_does_not_prolong_the_first_token(database: Database) -> None:
    retailer = await make_retailer(database)
    shop = await retailer.connect("shop", "shopify")
    async with begin(retailer.scope, database) as session:
        first = await issue_hook(session, shop)
        await rotate_hook(session, shop)
    with time_machine.travel(now() + timedelta(hours=23), tick=False):
        async with begin(retailer.scope, database) as session:
            await rotate_hook(session, shop)

    with time_machine.travel(now() + timedelta(hours=25), tick=False):
        assert await find_hook(first, database) is None


async def test_no_token_is_made_for_a_connection_of_another_retailer(database: Database) -> None:
    mine, foreign = await make_retailer(database), await make_retailer(database)
    shop = await foreign.connect("shop", "shopify")

    with pytest.raises(NotFound):
        async with begin(mine.scope, database) as session:
            await issue_hook(session, shop)

    async with begin(foreign.scope, database) as session:
        assert not await has_hook(session, shop)
