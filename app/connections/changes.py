"""Note what was changed, so that an incident can name the change that came just before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.connections.tenant import acting_tenant
from infra.database.scope import TenantScope
from infra.database.unit import Session
from infra.ids import Id, new_id

ChangeKind = Literal["release", "mapping", "credential", "connection", "flow", "vendor_api"]

_INSERT = (
    "insert into change (tenant_id, id, kind, connector, connection_id, flow_id, words, actor, detail)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)


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
    await session.execute(
        _INSERT,
        acting_tenant(session),
        new_id(),
        change.kind,
        change.connector,
        change.connection_id,
        change.flow_id,
        change.words,
        actor,
        json.dumps(dict(change.detail)),
    )
