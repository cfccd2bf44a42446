"""Read held messages as they would be read if they were released now, and write nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.exceptions.replay.actions import action_of
from app.exceptions.replay.effects import effects_of
from app.exceptions.replay.parts import ReplayParts
from app.exceptions.replay.promise import Promise
from app.exceptions.replay.write_promises import Promised
from app.flows.routes import Route
from app.intake.incoming import WHOLE_FILE, body_context
from app.pipeline.overtaken import Told, overtaken
from app.pipeline.reading import Read, Waiting, read_batch
from connectors import registry
from connectors.sdk.message import Position, RawMessage
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.keys.vault import KeyErased

_MESSAGES = """
select i.number, i.label, m.id, m.connection_id, m.topic, m.revision, m.file_id, m.position, m.state,
    m.trace_parent, m.received_at, b.headers, b.sealed, b.period, b.revision as body_revision,
    c.connector, c.settings, i.hold_id = any($4::uuid[]) as is_elsewhere
from replay_item i
join message m on m.tenant_id = $1 and m.id = i.message_id
join lateral (select headers, sealed, period, revision from message_body
    where tenant_id = m.tenant_id and message_id = m.id and revision <= m.revision
    order by revision desc limit 1) b on true
join connection c on c.tenant_id = $1 and c.id = m.connection_id
where i.tenant_id = $1 and i.replay_id = $2 and i.number = any($3::int[])
order by i.number
"""
_HOLDS = (
    "select hold_id from replay_item where tenant_id = $1 and replay_id = $2 and number = any($3)"
)
_ELSEWHERE = """
select x.hold_id from replay_item x join replay r on r.tenant_id = $1 and r.id = x.replay_id
where x.tenant_id = $1 and x.hold_id = any($3::uuid[]) and x.replay_id <> $2
    and x.state in ('waiting', 'started') and (x.state = 'started' or r.state = 'running')
"""
_TARGETS = "select id, connector, state from connection where tenant_id = $1"

_BROUGHT = Promise(
    "conflict", "Another replay is bringing this record at the moment.", deliveries=0
)
_DECIDED = Promise(
    "conflict", "It was decided about a moment ago. Preview again to see.", deliveries=0
)
_ERASED = Promise("conflict", "Its content was erased and cannot be read any more.", deliveries=0)
_WHOLE_FILE = Promise(
    "conflict",
    "This is a file that could not be cut into records. Correct it, or send it again.",
    deliveries=0,
)
_SKIPPED = Promise(
    "no_op", "Read anew, it says nothing that any flow wants: nothing is sent.", deliveries=0
)
_STALE = Promise(
    "stale",
    "A newer state of the same thing is at the target or on its way. This one is never sent.",
    deliveries=0,
)


@dataclass(frozen=True, slots=True)
class _Targets:
    """Connector and state of every connection of the retailer."""

    rows: dict[UUID, Row]

    def refusal(self, route: Route) -> str:
        """Say why a route cannot be sent on now; empty when it can."""
        target = self.rows.get(route.target_connection_id)
        if not route.is_enabled or route.is_paused:
            return "Its flow is switched off or paused. Switch it on, then replay."
        if target is None or target["state"] != "active":
            return "The target connection is switched off or paused. Switch it on, then replay."
        return ""


async def dry_run(
    parts: ReplayParts, scope: TenantScope, replay_id: UUID, numbers: Sequence[int]
) -> list[Promised]:
    """Promise what held messages become; pure reading, payloads opened in the retailer's scope."""
    routes = await parts.routes.routes(scope.tenant_id)
    async with begin(scope, parts.database) as session:
        rows = await _rows(session, scope.tenant_id, replay_id, numbers)
        found = await session.fetch(_TARGETS, scope.tenant_id)
        targets = _Targets({row["id"]: row for row in found})
        opened = [(row, await _opened(session, parts, scope, row)) for row in rows]
        read = [
            (row, message)
            if isinstance(message, Promise)
            else (row, read_batch([message], _source(row), routes))
            for row, message in opened
        ]
        told = [
            Told(each.event, each.message.id, route.flow_id, route.ordering)
            for _, batch in read
            if not isinstance(batch, Promise)
            for each in batch.read
            for route in each.routes
        ]
        gone = await overtaken(session, scope.tenant_id, told)
    promised = []
    for row, batch in read:
        if isinstance(batch, Promise):
            promised.append(Promised(row["number"], batch))
        elif batch.refused:
            hold = batch.refused[0].hold
            words = f"It would be held again: {hold.words}"
            promised.append(Promised(row["number"], Promise("conflict", words[:900], deliveries=0)))
        elif batch.skipped:
            promised.append(Promised(row["number"], _SKIPPED))
        else:
            promised.append(_routed(row["number"], batch.read, targets, gone))
    return promised


async def _rows(
    session: Session, tenant_id: UUID, replay_id: UUID, numbers: Sequence[int]
) -> list[Row]:
    held = await session.fetch(_HOLDS, tenant_id, replay_id, list(numbers))
    holds = [row["hold_id"] for row in held]
    brought = await session.fetch(_ELSEWHERE, tenant_id, replay_id, holds)
    return await session.fetch(
        _MESSAGES, tenant_id, replay_id, list(numbers), [row["hold_id"] for row in brought]
    )


def _routed(
    number: int, read: Sequence[Read], targets: _Targets, gone: frozenset[tuple[UUID, UUID, str]]
) -> Promised:
    first = read[0].event
    pairs = [(each, route) for each in read for route in each.routes]
    sent = [
        (each, route)
        for each, route in pairs
        if (each.message.id, route.flow_id, each.event.object_id) not in gone
    ]
    refusals = [words for _, route in sent if (words := targets.refusal(route))]
    if refusals:
        return Promised(number, Promise("conflict", refusals[0], deliveries=0), first.label)
    if not sent:
        return Promised(number, _STALE, first.label, first.amount)
    effects = dict.fromkeys(
        words
        for each, route in sent
        for words in effects_of(
            each.event.type,
            action_of(targets.rows[route.target_connection_id]["connector"], route.action),
        )
    )
    words = f"Held until now; it is read anew and becomes {len(sent)} "
    words += "delivery." if len(sent) == 1 else "deliveries."
    promise = Promise("create", words, tuple(effects), deliveries=len(sent))
    return Promised(number, promise, first.label, first.amount)


def _source(row: Row) -> dict[UUID, Any]:
    known = row["connector"] in registry.names()
    return {row["connection_id"]: registry.load(row["connector"])} if known else {}


async def _opened(
    session: Session, parts: ReplayParts, scope: TenantScope, row: Row
) -> Waiting | Promise:
    if row["is_elsewhere"]:
        return _BROUGHT
    if row["state"] != "held":
        return _DECIDED
    if row["topic"] == WHOLE_FILE and row["body_revision"] == 0:
        return _WHOLE_FILE
    try:
        key = await parts.vault.of(scope.tenant_id, row["period"], session)
    except KeyErased:
        return _ERASED
    position = json.loads(row["position"]) if row["position"] else None
    return Waiting(
        id=row["id"],
        connection_id=row["connection_id"],
        revision=row["revision"] + 1,
        crash_count=0,
        file_id=row["file_id"],
        position=row["position"],
        trace_parent=row["trace_parent"],
        received_at=row["received_at"],
        raw=RawMessage(
            topic=row["topic"],
            body=key.open(body_context(row["id"], row["body_revision"]), row["sealed"]),
            received_at=row["received_at"],
            headers=json.loads(row["headers"]),
            position=Position(**position) if position else None,
            settings=json.loads(row["settings"]),
        ),
    )
