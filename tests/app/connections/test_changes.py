"""What people change is noted where it is changed, without any value that may be confidential."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest_asyncio

from app.apply.apply import apply_file
from app.connections.changes import PLATFORM, note_release
from infra.database.pool import Database
from infra.database.scope import OperatorScope, TenantScope
from infra.database.unit import begin
from infra.ids import new_id
from tests.app.retailer import Retailer, make_retailer, new_vault


@pytest_asyncio.fixture
async def retailer(database: Database) -> Retailer:
    return await make_retailer(database)


async def _changes(database: Database, scope: TenantScope | OperatorScope) -> list[dict[str, Any]]:
    async with begin(scope, database) as session:
        rows = await session.fetch(
            "select tenant_id, kind, words, actor, connector, connection_id, flow_id, detail::text"
            " from change order by at, id"
        )
    return [dict(row) for row in rows if row["kind"] != "release"]


async def test_a_connection_is_noted_when_made_and_when_changed_and_not_when_the_same(
    retailer: Retailer,
) -> None:
    first = await retailer.connect("erp")
    await retailer.connect("erp")
    await retailer.connect("erp", base_url="https://erp.example/new")

    changes = await _changes(retailer.database, retailer.scope)
    assert [(each["kind"], each["words"]) for each in changes] == [
        ("connection", "The connection erp was set up."),
        ("connection", "The connection erp was changed: base url."),
    ]
    assert {each["connection_id"] for each in changes} == {first}
    assert {each["actor"] for each in changes} == {"person.tester"}
    assert "erp.example" not in repr(changes)


async def test_a_file_notes_connections_credentials_and_flows(
    database: Database, tmp_path: Path
) -> None:
    slug = f"p-{new_id().hex}"
    vault = new_vault(database)
    document = tmp_path / "shop.yaml"

    async def apply(settings: str, secret: str) -> None:
        (tmp_path / "secret").write_text(secret)
        document.write_text(
            f"partners: [{{slug: {slug}, name: Partner, retailers: [{{slug: shop, name: Shop,"
            " connections: [{name: own, connector: http}, {name: erp, title: The ERP,"
            " connector: http, secrets: {signing_secret: {file: secret}}}], flows: [{name: orders,"
            f" blueprint: web_order_to_erp, from: own, to: erp, settings: {settings}}}]}}]}}]\n"
        )
        await apply_file(document, database, vault, only_plan=False)

    await apply("{}", "whsec_Zmlyc3Q=")
    async with begin(OperatorScope("test"), database) as session:
        tenant_id = await session.fetch_value(
            "select t.id from tenant t join partner p on p.id = t.partner_id where p.slug = $1",
            slug,
        )
    before = len(await _changes(database, TenantScope(tenant_id)))
    await apply("{}", "whsec_c2Vjb25k")
    await apply("{store: '9'}", "whsec_c2Vjb25k")
    await apply("{store: '9'}", "whsec_c2Vjb25k")

    changes = await _changes(database, TenantScope(tenant_id))
    assert [each["words"] for each in changes[:before]] == [
        "The connection own was set up.",
        "The connection The ERP was set up.",
        "A credential of The ERP was stored: signing secret.",
        "The flow orders was installed.",
    ]
    assert [(each["kind"], each["words"], each["detail"]) for each in changes[before:]] == [
        (
            "credential",
            "A credential of The ERP was stored: signing secret.",
            '{"field": "signing_secret"}',
        ),
        ("mapping", "The flow orders was changed: settings.", '{"version": 2}'),
    ]
    assert "whsec" not in repr(changes)


async def test_a_release_is_noted_once_and_the_first_one_as_such(database: Database) -> None:
    told = await asyncio.gather(*(note_release(database, "1.0.0") for _ in range(4)))
    later = [await note_release(database, each) for each in ("1.0.0", "1.1.0", "1.1.0", "1.0.0")]

    async with begin(OperatorScope("test"), database) as session:
        rows = await session.fetch(
            "select words, detail ->> 'is_first' as is_first from change where tenant_id = $1"
            " and kind = 'release' order by at, id",
            PLATFORM,
        )
    assert sorted(told) == [False, False, False, True]
    assert later == [False, True, False, True]
    assert [(row["words"], row["is_first"]) for row in rows] == [
        ("Version 1.0.0 of the service was put in place.", "true"),
        ("Version 1.1.0 of the service was put in place.", "false"),
        ("Version 1.0.0 of the service was put in place.", "false"),
    ]


async def test_every_retailer_sees_releases_and_nobody_else_s_changes(
    retailer: Retailer, database: Database
) -> None:
    await note_release(database, new_id().hex)
    await retailer.connect("erp")
    stranger = await make_retailer(database)

    async with begin(stranger.scope, database) as session:
        kinds = [row["kind"] for row in await session.fetch("select kind from change")]

    assert set(kinds) == {"release"}
