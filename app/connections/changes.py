"""Note what was changed, so that an incident can name the change that came just before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from app.connections.tenant import acting_tenant
from infra.database.pool import Database
from infra.database.scope import OperatorScope, TenantScope
from infra.database.unit import Session, begin
from infra.ids import Id, new_id

ChangeKind = Literal["release", "mapping", "credential", "connection", "flow", "vendor_api"]

# Releases of the product itself belong to no retailer, and every retailer sees them.
PLATFORM = UUID(int=0)
RELEASE_ACTOR = "platform.start_version"

_INSERT = (
    "insert into change (tenant_id, id, kind, connector, connection_id, flow_id, words, actor, detail)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
_LAST_RELEASE = (
    "select detail ->> 'version' from change where tenant_id = $1 and kind = 'release'"
    " order by at desc, id desc limit 1"
)
_ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended('change.release', 0))"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a retailer's set-up: what kind, where, and in words for people, without secrets."""

    kind: ChangeKind
    words: str
    connector: str = ""
    connection_id: Id | None = None
    flow_id: Id | None = None
    detail: Mapping[str, str | int | bool] = field(default_factory=dict)


async def note_change(session: Session, change: Change) -> None:
    """Write a change in the transaction that makes it, in a retailer's scope."""
    scope = session.scope
    actor = scope.actor if isinstance(scope, TenantScope) else "system"
    await _insert(session, acting_tenant(session), change, actor)


async def note_release(database: Database, version: str) -> bool:
    """Write that another version of the product runs now; False when it is the one known last.

    The first version of an installation is noted as such: it replaced nothing, so it explains nothing.
    Two processes that start at once write one row.
    """
    async with begin(OperatorScope(RELEASE_ACTOR), database) as session:
        await session.fetch_value(_ONE_AT_A_TIME)
        known = await session.fetch_value(_LAST_RELEASE, PLATFORM)
        if known == version:
            return False
        words = f"Version {version} of the service was put in place."
        detail = {"version": version, "before": known or "", "is_first": known is None}
        change = Change("release", words, detail=detail)
        await _insert(session, PLATFORM, change, RELEASE_ACTOR)
    return True


async def _insert(session: Session, tenant_id: Id, change: Change, actor: str) -> None:
    await session.execute(
        _INSERT,
        tenant_id,
        new_id(),
        change.kind,
        change.connector,
        change.connection_id,
        change.flow_id,
        change.words,
        actor,
        json.dumps(dict(change.detail)),
    )
