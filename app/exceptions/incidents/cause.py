"""The change that came just before: which of a retailer's changes explains an incident best."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.connections.changes import PLATFORM, ChangeKind
from app.exceptions.incidents.incident import Incident
from app.exceptions.incidents.rules import rules_of
from infra.database.unit import Session

# A change of Friday afternoon shows on Monday, when the first goods are booked.
LOOK_BACK = timedelta(hours=96)
CHANGES_MAX = 200
# How much of its worth a change loses over that time.
FADES_BY_0_1 = 0.5

NO_CHANGE = "none"


@dataclass(frozen=True, slots=True)
class KnownChange:
    """A change as it was noted; `is_ours` marks a release of the product itself."""

    id: UUID
    at: datetime
    kind: ChangeKind
    words: str
    actor: str
    connector: str = ""
    connection_id: UUID | None = None
    flow_id: UUID | None = None
    is_ours: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and when an incident began; `sources` are the connections its records come from.

    `worked_at` is when the connection last worked (UTC), as far as it is known.
    """

    error_class: str
    connector: str
    connection_id: UUID
    since_at: datetime
    flows: frozenset[UUID] = frozenset()
    sources: frozenset[UUID] = frozenset()
    worked_at: datetime | None = None


def best_change(changes: Iterable[KnownChange], scene: Scene) -> KnownChange | None:
    """Choose the change that explains the incident best; None when none of them can."""
    scored = [(worth(change, scene), change.at, change) for change in changes]
    possible = [each for each in scored if each[0] > 0]
    return max(possible, key=lambda each: (each[0], each[1]))[2] if possible else None


def worth(change: KnownChange, scene: Scene) -> float:
    """Say how well a change explains it, 0 to 1: by its kind, its place and how near it was."""
    age = scene.since_at - change.at
    if not timedelta(0) <= age <= LOOK_BACK or _is_acquitted(change, scene):
        return 0.0
    fit = rules_of(scene.error_class).fits.get(change.kind, 0.0)
    return fit * _place(change, scene) * (1 - FADES_BY_0_1 * (age / LOOK_BACK))


def _is_acquitted(change: KnownChange, scene: Scene) -> bool:
    """Say whether a connection that stopped as a whole had worked on after this change."""
    stops_whole = rules_of(scene.error_class).is_whole_connection
    return stops_whole and scene.worked_at is not None and change.at <= scene.worked_at


def _place(change: KnownChange, scene: Scene) -> float:
    """Say how near a change was to where it went wrong."""
    # The first start of a new installation, or the first answer of a vendor, replaced nothing.
    if change.detail.get("is_first"):
        return 0.0
    if change.is_ours:
        return 0.5
    if change.flow_id is not None and scene.flows:
        return 1.0 if change.flow_id in scene.flows else 0.0
    if change.connection_id is None:
        return 0.8 if change.connector == scene.connector else 0.0
    if change.connection_id == scene.connection_id:
        return 1.0
    return 0.6 if change.connection_id in scene.sources else 0.0


async def find_cause(session: Session, incident: Incident) -> dict[str, Any]:
    """Give what is stored as an incident's cause; `kind` is `none` when no change explains it."""
    sources = await session.fetch(
        "select distinct source_connection_id as id from flow where tenant_id = $1 and id = any($2)",
        incident.tenant_id,
        list(incident.flows),
    )
    worked_at = await session.fetch_value(
        "select last_success_at from connection_health where tenant_id = $1 and connection_id = $2",
        incident.tenant_id,
        incident.connection_id,
    )
    scene = Scene(
        error_class=incident.error_class,
        connector=incident.connector,
        connection_id=incident.connection_id,
        since_at=incident.since_at,
        flows=frozenset(incident.flows),
        sources=frozenset(row["id"] for row in sources),
        worked_at=worked_at,
    )
    change = best_change(await _changes(session, incident.tenant_id, scene.since_at), scene)
    if change is None:
        return {"kind": NO_CHANGE, "words": rules_of(incident.error_class).no_change}
    return {
        "kind": change.kind,
        "words": change.words,
        "at": change.at.isoformat(),
        "actor": change.actor,
        "change_id": str(change.id),
        "flow_id": str(change.flow_id) if change.flow_id else None,
        "version": change.detail.get("version"),
    }


async def _changes(session: Session, tenant_id: UUID, until: datetime) -> list[KnownChange]:
    rows = await session.fetch(
        "select tenant_id, id, at, kind, connector, connection_id, flow_id, words, actor,"
        " detail::text from change where tenant_id = any($1) and at between $2 and $3"
        " order by at desc limit $4",
        [tenant_id, PLATFORM],
        until - LOOK_BACK,
        until,
        CHANGES_MAX,
    )
    return [
        KnownChange(
            id=row["id"],
            at=row["at"],
            kind=row["kind"],
            words=row["words"],
            actor=row["actor"],
            connector=row["connector"],
            connection_id=row["connection_id"],
            flow_id=row["flow_id"],
            is_ours=row["tenant_id"] == PLATFORM,
            detail=json.loads(row["detail"]),
        )
        for row in rows
    ]
