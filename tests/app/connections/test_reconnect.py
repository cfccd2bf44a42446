"""The reconnect link: shown once, good once, opens nothing but the credentials it asks for."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from pydantic import SecretStr

from app.connections.directory import ConnectionBook
from app.connections.health import lose_authorization, read_health
from app.connections.outages import list_outages
from app.connections.reconnect import PREFIX, make_reconnect_link, read_link, use_link
from app.connections.watch import ConnectionWatch
from connectors.sdk.outcome import AuthorizationLost
from infra.clock import now
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.errors import NotFound, Unprocessable
from infra.ids import Id
from tests.app.retailer import Retailer, make_retailer

NEW = {"key": SecretStr("new-credential-1")}


def quietly() -> None:
    """Ring nobody."""


async def a_link(retailer: Retailer, connection_id: Id) -> str:
    async with begin(retailer.scope, retailer.database) as session:
        link = await make_reconnect_link(session, connection_id)
    return link.path.removeprefix(PREFIX)


async def a_dead_connection(database: Database) -> tuple[Retailer, Id]:
    retailer = await make_retailer(database)
    connection_id = await retailer.connect("erp")
    await retailer.store(connection_id, "key", "old-credential-1")
    async with begin(EngineScope(), database) as session:
        await lose_authorization(session, retailer.id, connection_id, "The key was revoked.")
    return retailer, connection_id


async def use(retailer: Retailer, token: str, given: dict[str, SecretStr]) -> None:
    await use_link(token, given, retailer.database, retailer.vault, quietly)


async def test_a_link_says_what_is_asked_and_shows_no_credential(database: Database) -> None:
    retailer, connection_id = await a_dead_connection(database)

    asked = await read_link(await a_link(retailer, connection_id), database)

    assert (asked.retailer, [field.name for field in asked.fields]) == ("Maple & Main", ["key"])
    assert timedelta(days=6, hours=23) < asked.expires_at - now() <= timedelta(days=7)
    assert "old-credential-1" not in repr(asked)


async def test_a_new_credential_opens_the_connection_at_once_and_stands_in_the_audit_log(
    database: Database,
) -> None:
    retailer, connection_id = await a_dead_connection(database)
    token = await a_link(retailer, connection_id)

    await use(retailer, token, NEW)

    booked = await ConnectionBook(database, retailer.vault).find(retailer.id, connection_id)
    assert booked is not None
    assert booked.secrets.reveal("key")[0] == "new-credential-1"
    async with begin(retailer.scope, database) as session:
        health = await read_health(session, retailer.id, connection_id)
        (outage,) = await list_outages(session, retailer.id, connection_id)
        acts = await session.fetch(
            "select action, actor, detail::text from audit where tenant_id = $1 and subject = $2"
            " order by seq desc limit 3",
            retailer.id,
            f"connection:{connection_id}",
        )
    assert (health.state, outage.kind) == ("closed", "authorization_lost")
    assert outage.ended_at is not None
    assert [(row["action"], row["actor"]) for row in acts] == [
        ("connections.reconnect", "link.reconnect_connection"),
        ("connections.store_credential", "link.reconnect_connection"),
        ("connections.make_reconnect_link", "person.tester"),
    ]
    assert all(token not in row["detail"] for row in acts)
    assert all("new-credential" not in row["detail"] for row in acts)


async def test_a_link_is_good_once(database: Database) -> None:
    retailer, connection_id = await a_dead_connection(database)
    token = await a_link(retailer, connection_id)
    await use(retailer, token, NEW)

    with pytest.raises(NotFound):
        await use(retailer, token, {"key": SecretStr("stolen-credential")})
    with pytest.raises(NotFound):
        await read_link(token, database)

    booked = await ConnectionBook(database, retailer.vault).find(retailer.id, connection_id)
    assert booked is not None
    assert booked.secrets.reveal("key")[0] == "new-credential-1"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "reconnect.credential_missing"),
        ({"key": SecretStr("a"), "other": SecretStr("b")}, "reconnect.credential_not_asked"),
        ({"key": SecretStr("")}, "connection.secret_invalid"),
    ],
)
async def test_a_refused_credential_changes_nothing_and_leaves_the_link_good(
    database: Database, given: dict[str, SecretStr], code: str
) -> None:
    retailer, connection_id = await a_dead_connection(database)
    token = await a_link(retailer, connection_id)

    with pytest.raises(Unprocessable) as refusal:
        await use(retailer, token, given)

    assert refusal.value.code == code
    async with begin(EngineScope(), database) as session:
        health = await read_health(session, retailer.id, connection_id)
    assert health.state == "authorization_lost"
    await use(retailer, token, NEW)


async def test_a_wrong_an_old_and_a_misshapen_link_are_not_found(database: Database) -> None:
    retailer, connection_id = await a_dead_connection(database)
    token = await a_link(retailer, connection_id)

    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "x", "../" + token, ""):
        with pytest.raises(NotFound):
            await read_link(wrong, database)
    async with begin(retailer.scope, database) as session:
        await session.execute(
            "update reconnect_link set expires_at = now() where connection_id = $1", connection_id
        )
    with pytest.raises(NotFound):
        await use(retailer, token, NEW)


async def test_only_a_digest_of_the_link_is_stored(database: Database) -> None:
    retailer, connection_id = await a_dead_connection(database)
    token = await a_link(retailer, connection_id)

    async with begin(retailer.scope, database) as session:
        rows = await session.fetch(
            "select * from reconnect_link where connection_id = $1", connection_id
        )

    assert len(rows) == 1
    assert token not in repr(dict(rows[0]))


async def test_a_connection_without_a_credential_has_no_link(database: Database) -> None:
    retailer = await make_retailer(database)
    connection_id = await retailer.connect("till", "pos_files")

    with pytest.raises(Unprocessable) as refusal:
        await a_link(retailer, connection_id)

    assert refusal.value.code == "connection.no_credentials"


async def test_a_dead_credential_is_tried_once_an_hour(database: Database) -> None:
    retailer, connection_id = await a_dead_connection(database)

    watch, tries = ConnectionWatch(database), 0
    begin_at = now()
    for minute in range(1, 24 * 60):
        with time_machine.travel(begin_at + timedelta(minutes=minute), tick=False):
            watch = ConnectionWatch(database) if minute % 10 == 0 else watch
            if await watch.may_call(retailer.id, connection_id):
                tries += 1
                await watch.learn(retailer.id, connection_id, AuthorizationLost("Revoked."))

    assert tries + 1 == 24
