"""No key opens another retailer's door: every route x every role of 2 partners and 4 retailers.

What is missing and what is somebody else's are answered alike, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from app.api.app import build_api
from infra.database.pool import Database
from infra.ids import new_id
from tenants.roles import allows
from tests.isolation.rows import OPEN, ROWS, Route, Row
from tests.isolation.world import Actor, Shop, World, open_world

MISSING_IDS = (str(new_id()), "00000000-0000-0000-0000-000000000000", "1", "null")
NOT_FOUND = (
    b'{"type": "/problems/resource.not_found", "title": "Not found", "status": 404,'
    b' "code": "resource.not_found", "detail": "There is nothing here, or you may not see it."}'
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(database: Database) -> AsyncIterator[World]:
    """The shops of two partners, served."""
    async with open_world(database) as opened:
        yield opened


def test_every_route_has_a_row() -> None:
    document = build_api(None).openapi()  # type: ignore[arg-type]

    routes = {
        (method, path) for path, operations in document["paths"].items() for method in operations
    }

    assert routes == {*ROWS, *OPEN}
    assert not {*ROWS} & {*OPEN}


@pytest.mark.parametrize("route", ROWS, ids=" ".join)
async def test_without_a_valid_key_every_route_is_closed_alike(world: World, route: Route) -> None:
    row, answers = ROWS[route], set()

    for key in ("", "garbage", "tkra_" + "A" * 43, world.actors[0].key[:-1]):
        for object_id in (*_own(world.shops[0], row), MISSING_IDS[0]):
            answer = await _call(world, route, object_id, key)
            answers.add((answer.status_code, answer.content))

    assert len(answers) == 1
    assert answers.pop()[0] == 401


@pytest.mark.parametrize("route", ROWS, ids=" ".join)
async def test_a_route_opens_to_the_permitted_for_their_own_and_to_nobody_else(
    world: World, route: Route
) -> None:
    row = ROWS[route]

    for actor in world.actors:
        may = all(allows(actor.role, permission) for permission in row.needs)
        for shop in world.shops:
            if shop.tenant_id in actor.reaches:
                await _owner_gets(world, route, actor, shop, may=may)
            else:
                await _stranger_gets(world, route, actor, shop, may=may)


async def _owner_gets(world: World, route: Route, actor: Actor, shop: Shop, *, may: bool) -> None:
    row = ROWS[route]
    for object_id in _own(shop, row):
        answer = await _call(world, route, object_id, actor.key, shop if actor.names else None)
        assert answer.status_code == (row.to_owner if may else 403), (actor, answer.text)
        _says_nothing_of_others(world, shop, answer)
    if not row.about:
        return
    foreign = [other.ids[row.about] for other in world.shops if other is not shop]
    for object_id in (*foreign, *MISSING_IDS):
        answer = await _call(world, route, object_id, actor.key, shop if actor.names else None)
        _is_closed(answer, actor, may=may)


async def _stranger_gets(
    world: World, route: Route, actor: Actor, shop: Shop, *, may: bool
) -> None:
    """Name a retailer that the key does not reach, whatever object is asked for."""
    for object_id in (*_own(shop, ROWS[route]), MISSING_IDS[0]):
        answer = await _call(world, route, object_id, actor.key, shop)
        _is_closed(answer, actor, may=may)


def _is_closed(answer: httpx2.Response, actor: Actor, *, may: bool) -> None:
    if may:
        assert (answer.status_code, answer.content) == (404, NOT_FOUND), (actor, answer.text)
    else:
        assert answer.status_code == 403, (actor, answer.text)


def _says_nothing_of_others(world: World, shop: Shop, answer: httpx2.Response) -> None:
    for other in world.shops:
        if other is not shop:
            for foreign in (*other.ids.values(), str(other.tenant_id)):
                assert foreign not in answer.text


def _own(shop: Shop, row: Row) -> list[str]:
    return [shop.ids[row.about] if row.about else ""]


async def _call(
    world: World, route: Route, object_id: str, key: str, named: Shop | None = None
) -> httpx2.Response:
    method, template = route
    path = template.replace("{name}", "tickets.xml")
    path = re.sub(r"\{\w+_id\}", object_id, path)
    return await world.served.call(
        method.upper(),
        path,
        key,
        tenant=named.tenant_id if named else None,
        **ROWS[route].request,
    )


async def test_a_key_of_many_retailers_must_name_one(world: World) -> None:
    for actor in world.actors:
        if actor.names:
            answer = await world.served.call("GET", "/v1/messages", actor.key)
            expected = 422 if allows(actor.role, "messages.read") else 403
            assert answer.status_code == expected


@pytest.mark.parametrize("named", ["", "1", "null", "00000000-0000-0000-0000-000000000000"])
async def test_a_retailer_that_is_none_looks_like_a_foreign_one(world: World, named: str) -> None:
    for actor in world.actors:
        answer = await world.served.call(
            "GET", "/v1/messages", actor.key, headers={"tenant-id": named}
        )
        if allows(actor.role, "messages.read"):
            assert (answer.status_code, answer.content) == (404, NOT_FOUND)


async def test_filters_find_nothing_of_others(world: World) -> None:
    queries = {
        "/v1/messages?connection=": "connection",
        "/v1/deliveries?flow=": "flow",
        "/v1/exceptions?state=any&connection=": "connection",
    }
    for actor in world.actors:
        (own, *_) = [shop for shop in world.shops if shop.tenant_id in actor.reaches]
        for query, about in queries.items():
            for other in world.shops:
                answer = await world.served.call(
                    "GET",
                    query + other.ids[about],
                    actor.key,
                    tenant=own.tenant_id if actor.names else None,
                )
                if other is not own and answer.status_code != 403:
                    assert answer.json() == {"items": [], "next_cursor": None}


async def test_a_foreign_and_a_missing_source_of_an_event_look_alike(world: World) -> None:
    senders = [actor for actor in world.actors if allows(actor.role, "messages.send")]
    answers = set()

    for actor in senders:
        foreign = [s.ids["connection"] for s in world.shops if s.tenant_id not in actor.reaches]
        for source in (*foreign, *MISSING_IDS[:3], "no such name"):
            event = {"specversion": "1.0", "id": "x-1", "source": source, "type": "any"}
            answer = await world.served.call("POST", "/v1/events", actor.key, json=event)
            answers.add((answer.status_code, answer.content))

    assert len(senders) == 8
    assert len(answers) == 1
    assert answers.pop()[0] == 422


async def test_contents_are_withheld_from_all_without_the_permission(world: World) -> None:
    for actor in world.actors:
        for shop in world.shops:
            if shop.tenant_id in actor.reaches and allows(actor.role, "messages.read"):
                answer = await world.served.call(
                    "GET",
                    f"/v1/events/{shop.ids['event']}",
                    actor.key,
                    tenant=shop.tenant_id if actor.names else None,
                )
                shows = answer.json()["content"] is not None
                assert shows is allows(actor.role, "payloads.read")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/problems/resource.not_found"])
async def test_open_routes_answer_everyone_alike(world: World, path: str) -> None:
    answers = {
        (await world.served.call("GET", path, key)).content
        for key in ("", "garbage", *(actor.key for actor in world.actors))
    }

    assert len(answers) == 1


@pytest.mark.parametrize("token", ["x", "..%2f", "hook_" + "A" * 43, "a/b"])
async def test_a_webhook_address_that_is_none_is_not_found(world: World, token: str) -> None:
    answer = await world.served.call("POST", f"/hooks/{token}", content=b"{}")

    assert (answer.status_code, answer.content) == (404, NOT_FOUND)
