"""List a retailer's incidents, read one with samples and history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from app.exceptions.incidents.incident import COLUMNS, Incident, MomentKind, State, incident_of
from app.exceptions.incidents.tell import next_step
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.errors import NotFound
from infra.ids import Id

SAMPLES = 5
MOMENTS_MAX = 200

Shown = Literal["open", "any"] | State


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents to list; None lets all pass. `open` is all that is not resolved.

    `before` is the last id of the page before.
    """

    state: Shown = "open"
    severity: int | None = None
    owner: str | None = None
    error_class: str | None = None
    connection_id: Id | None = None
    is_snoozed: bool | None = None
    before: Id | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One record of an incident; held ones have a hold, others only wait."""

    label: str
    words: str
    code: str
    hold_id: UUID | None
    delivery_id: UUID | None
    amount: Decimal | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class PastMoment:
    """One line of an incident's history."""

    id: UUID
    at: datetime
    kind: MomentKind
    actor: str
    words: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident with all that its page shows: what to do first, channels, samples, history."""

    incident: Incident
    system: str
    next_step: str
    flows: tuple[str, ...]
    channels: tuple[str, ...]
    samples: tuple[Sample, ...]
    moments: tuple[PastMoment, ...]


async def list_incidents(
    scope: TenantScope, database: Database, wanted: IncidentFilter, limit: int
) -> list[Incident]:
    """Give up to `limit` incidents: money at risk times urgency, the most pressing first.

    A page goes on behind the place where its last incident stands now.
    """
    async with begin(scope, database) as session:
        rows = await session.fetch(
            f"select {COLUMNS} from incident where tenant_id = $1 and title <> ''"  # noqa: S608
            " and ($2 = 'any' or state = $2 or ($2 = 'open' and state <> 'resolved'))"
            " and ($3::int is null or severity >= $3) and ($4::text is null or owner = $4)"
            " and ($5::text is null or error_class = $5)"
            " and ($6::uuid is null or connection_id = $6)"
            " and ($7::bool is null or coalesce(snoozed_until > now(), false) = $7)"
            " and ($8::uuid is null or (weight, id) < ("
            "   select last.weight, last.id from incident last"
            "   where last.tenant_id = $1 and last.id = $8))"
            " order by weight desc, id desc limit $9",
            scope.tenant_id,
            wanted.state,
            wanted.severity,
            wanted.owner,
            wanted.error_class,
            wanted.connection_id,
            wanted.is_snoozed,
            wanted.before,
            limit,
        )
    return [incident_of(row) for row in rows]


async def read_incident(scope: TenantScope, database: Database, incident_id: Id) -> IncidentView:
    """Give one incident with its samples and history; raises NotFound."""
    async with begin(scope, database) as session:
        incident = await find_incident(session, scope, incident_id)
        system = await _system(session, incident)
        flows = await _flows(session, incident)
        samples = await _samples(session, incident)
        moments = await _moments(session, incident)
    return IncidentView(
        incident=incident,
        system=system,
        next_step=next_step(incident.error_class, system),
        flows=tuple(row["name"] for row in flows),
        channels=tuple(dict.fromkeys(row["channel"] for row in flows)),
        samples=tuple(Sample(**dict(row)) for row in samples),
        moments=tuple(_moment(row) for row in moments),
    )


async def find_incident(
    session: Session, scope: TenantScope, incident_id: Id, *, is_locked: bool = False
) -> Incident:
    """Give one incident within an open transaction, locked on demand; raises NotFound."""
    row = await session.fetch_one(
        f"select {COLUMNS} from incident where tenant_id = $1 and id = $2"  # noqa: S608
        f" and title <> ''{' for update' if is_locked else ''}",
        scope.tenant_id,
        incident_id,
    )
    if row is None:
        raise NotFound
    return incident_of(row)


async def _system(session: Session, incident: Incident) -> str:
    name: str | None = await session.fetch_value(
        "select coalesce(nullif(title, ''), name) from connection where tenant_id = $1 and id = $2",
        incident.tenant_id,
        incident.connection_id,
    )
    return name or incident.connector


async def _flows(session: Session, incident: Incident) -> list[Row]:
    return await session.fetch(
        "select f.name, coalesce(nullif(c.title, ''), c.name) as channel from flow f"
        " join connection c on c.tenant_id = f.tenant_id and c.id = f.source_connection_id"
        " where f.tenant_id = $1 and f.id = any($2) order by f.name",
        incident.tenant_id,
        list(incident.flows),
    )


async def _samples(session: Session, incident: Incident) -> list[Row]:
    """Give the records with most money: held ones first, then what waits at the connection."""
    held = await session.fetch(
        "select label, words, code, id as hold_id, delivery_id, amount, currency from hold"
        " where tenant_id = $1 and incident_id = $2 and state = 'open'"
        " order by amount desc nulls last, id limit $3",
        incident.tenant_id,
        incident.id,
        SAMPLES,
    )
    if len(held) >= SAMPLES or not incident.waiting:
        return held
    # A few of the many that wait, not the dearest of them: that would read them all.
    waiting = await session.fetch(
        "select e.label, d.words, d.code, null::uuid as hold_id, d.id as delivery_id, e.amount,"
        " e.currency from delivery d join event e on e.tenant_id = d.tenant_id and e.id = d.event_id"
        " where d.tenant_id = $1 and d.connection_id = $2 and d.is_open and d.state <> 'held'"
        " and d.flow_id = any($3) limit $4",
        incident.tenant_id,
        incident.connection_id,
        list(incident.flows),
        SAMPLES - len(held),
    )
    return [*held, *waiting]


async def _moments(session: Session, incident: Incident) -> list[Row]:
    return await session.fetch(
        "select id, at, kind, actor, words, detail::text from incident_moment"
        " where tenant_id = $1 and incident_id = $2 order by id desc limit $3",
        incident.tenant_id,
        incident.id,
        MOMENTS_MAX,
    )


def _moment(row: Row) -> PastMoment:
    return PastMoment(
        row["id"],
        row["at"],
        row["kind"],
        row["actor"],
        row["words"],
        json.loads(row["detail"]),
    )
