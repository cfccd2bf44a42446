"""Set up one system of a retailer, or change it; the same call twice changes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from app.connections.changes import Change, note_change
from app.connections.credential import check_budget
from app.connections.declared import check_settings
from app.connections.directory import ConnectionState
from app.connections.health import restore_authorization
from app.connections.origin import origin_of
from app.connections.streams import ensure_streams
from app.connections.tenant import acting_tenant
from infra.clock import now
from infra.database.unit import Row, Session
from infra.errors import Conflict, Unprocessable
from infra.ids import Id, new_id
from tenants.audit import record


@dataclass(frozen=True, slots=True)
class WantedConnection:
    """A connection as it shall be.

    `new_credentials` names the credential fields that the caller stores right after this call, in
    the same transaction; without them the host cannot change.
    """

    name: str
    connector: str
    title: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    state: ConnectionState = "active"
    new_credentials: frozenset[str] = frozenset()


async def ensure_connection(session: Session, wanted: WantedConnection) -> tuple[Id, bool]:
    """Make a connection exist as wanted; gives its id and whether anything changed.

    Raises: Unprocessable for an unknown connector, an undeclared setting or an unusable base URL;
            Conflict when the software would change, or the host without new credentials.
    """
    check_settings(wanted.connector, wanted.settings)
    check_budget(wanted.settings)
    origin_of(wanted.settings)
    row = await session.fetch_one(
        "select id, connector, title, settings, state from connection"
        " where tenant_id = $1 and name = $2 for no key update",
        acting_tenant(session),
        wanted.name,
    )
    if row is None:
        return await _create(session, wanted)
    if _is_as_wanted(row, wanted):
        return row["id"], False
    if row["connector"] != wanted.connector:
        raise Conflict(
            f"The connection {wanted.name} is a {row['connector']} system and cannot become"
            f" {wanted.connector}. Make a new connection under another name.",
            code="connection.connector_fixed",
        )
    await _follow_host(session, row, wanted)
    await _update(session, row["id"], wanted)
    await ensure_streams(session, row["id"], wanted.connector)
    # What it lacked, and what its deliveries wait for, may be there now.
    await restore_authorization(session, acting_tenant(session), row["id"])
    words = (
        f"The connection {wanted.title or wanted.name} was changed: {_differences(row, wanted)}."
    )
    await _note(session, row["id"], wanted, words)
    await _record(session, "connections.change_connection", row["id"], wanted)
    return row["id"], True


async def _create(session: Session, wanted: WantedConnection) -> tuple[Id, bool]:
    # Two at once: the unique name lets one through, the other fails and finds it when repeated.
    connection_id = new_id()
    await session.execute(
        "insert into connection (tenant_id, id, name, connector, title, settings, state)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        acting_tenant(session),
        connection_id,
        wanted.name,
        wanted.connector,
        wanted.title,
        _written(wanted.settings),
        wanted.state,
    )
    await ensure_streams(session, connection_id, wanted.connector)
    words = f"The connection {wanted.title or wanted.name} was set up."
    await _note(session, connection_id, wanted, words)
    await _record(session, "connections.create_connection", connection_id, wanted)
    return connection_id, True


def _is_as_wanted(row: Row, wanted: WantedConnection) -> bool:
    stored = (row["connector"], row["title"], json.loads(row["settings"]), row["state"])
    return stored == (wanted.connector, wanted.title, wanted.settings, wanted.state)


async def _follow_host(session: Session, row: Row, wanted: WantedConnection) -> None:
    """Drop credentials sealed for another host; refuses when they would be missing afterwards."""
    before, after = origin_of(json.loads(row["settings"])), origin_of(wanted.settings)
    if before == after:
        return
    tenant_id = acting_tenant(session)
    stored = await session.fetch(
        "select distinct field from connection_secret where tenant_id = $1 and connection_id = $2",
        tenant_id,
        row["id"],
    )
    missing = sorted({each["field"] for each in stored} - wanted.new_credentials)
    if missing:
        raise Conflict(
            f"The connection {wanted.name} would move from {before or 'no host'} to"
            f" {after or 'no host'}. Credentials never follow to another host: give"
            f" {', '.join(missing)} anew.",
            code="connection.credentials_bound",
        )
    await session.execute(
        "delete from connection_secret where tenant_id = $1 and connection_id = $2",
        tenant_id,
        row["id"],
    )


async def _update(session: Session, connection_id: Id, wanted: WantedConnection) -> None:
    await session.execute(
        "update connection set title = $3, settings = $4, state = $5, updated_at = $6"
        " where tenant_id = $1 and id = $2",
        acting_tenant(session),
        connection_id,
        wanted.title,
        _written(wanted.settings),
        wanted.state,
        now(),
    )


def _differences(row: Row, wanted: WantedConnection) -> str:
    """Name what differs, never a value: settings may be confidential."""
    before, after = json.loads(row["settings"]), wanted.settings
    settings = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    columns = {name for name in ("title", "state") if row[name] != getattr(wanted, name)}
    return ", ".join(each.replace("_", " ") for each in sorted(settings | columns))


async def _note(session: Session, connection_id: Id, wanted: WantedConnection, words: str) -> None:
    detail = {"name": wanted.name, "state": wanted.state}
    change = Change("connection", words, wanted.connector, connection_id, detail=detail)
    await note_change(session, change)


async def _record(
    session: Session, action: str, connection_id: Id, wanted: WantedConnection
) -> None:
    detail = {"name": wanted.name, "connector": wanted.connector, "state": wanted.state}
    detail["host"] = origin_of(wanted.settings)
    await record(session, action, f"connection:{connection_id}", detail)


def _written(settings: dict[str, Any]) -> str:
    try:
        return json.dumps(settings, allow_nan=False)
    except (TypeError, ValueError):
        raise Unprocessable(
            "A setting holds a value that cannot be stored.", code="connection.setting_invalid"
        ) from None
