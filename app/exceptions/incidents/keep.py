"""Write incidents and their history, by the engine and by people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from app.exceptions.incidents.incident import Incident, Moment
from app.exceptions.incidents.nouns import plain
from infra.database.unit import Session
from infra.ids import Id, new_id

SYSTEM = "system"
# That a trouble is still there is written now and then; all else as soon as it changes.
SEEN_EVERY = timedelta(seconds=8)

_UPDATE = """
update incident set title = $3, words = $4, state = $5, severity = $6, held = $7, waiting = $8,
    peak = $9, at_risk = $10, shops = $11, flows = $12, deadline_at = $13, deadline_words = $14,
    cause = $15, runbook = $16, first_seen_at = $17, last_seen_at = $18, since_at = $19, weight = $20,
    told = $21, resolved_at = $22, resolved_by = $23, resolution = $24, snoozed_until = $25,
    updated_at = now()
where tenant_id = $1 and id = $2
"""
_MOMENT = (
    "insert into incident_moment (tenant_id, id, incident_id, kind, actor, words, detail)"
    " values ($1, $2, $3, $4, $5, $6, $7)"
)


def is_worth_writing(before: Incident, after: Incident) -> bool:
    """Say whether a look changed anything that somebody may see, or is due to leave its mark."""
    if after.last_seen_at - before.last_seen_at >= SEEN_EVERY:
        return True
    return replace(after, last_seen_at=before.last_seen_at) != before


async def keep(session: Session, incident: Incident) -> None:
    """Write an incident as it is now; its row was locked before it was read."""
    await session.execute(
        _UPDATE,
        incident.tenant_id,
        incident.id,
        incident.title,
        incident.words,
        incident.state,
        incident.severity,
        incident.held,
        incident.waiting,
        incident.peak,
        json.dumps({currency: plain(each) for currency, each in incident.at_risk.items()}),
        list(incident.shops),
        list(incident.flows),
        incident.deadline_at,
        incident.deadline_words,
        json.dumps(dict(incident.cause)) if incident.cause is not None else None,
        incident.runbook,
        incident.first_seen_at,
        incident.last_seen_at,
        incident.since_at,
        incident.weight,
        json.dumps(dict(incident.told)),
        incident.resolved_at,
        incident.resolved_by,
        incident.resolution,
        incident.snoozed_until,
    )


async def add_moments(
    session: Session,
    tenant_id: Id,
    incident_id: Id,
    moments: Sequence[Moment],
    actor: str = SYSTEM,
) -> None:
    """Write lines of an incident's history, in their order."""
    for each in moments:
        await session.execute(
            _MOMENT,
            tenant_id,
            new_id(),
            incident_id,
            each.kind,
            actor,
            each.words,
            json.dumps(dict(each.detail)),
        )
