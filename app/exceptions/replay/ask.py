"""Ask targets about records whose last answer was lost: is the effect there, or is it missing?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from app.deliveries.claim import Claimed
from app.deliveries.handover import Loaded
from app.exceptions.replay.actions import action_of
from app.exceptions.replay.facts import Facts
from app.exceptions.replay.parts import ReplayParts
from app.exceptions.replay.promise import Judged, Mapping, Promise, made
from app.exceptions.replay.write_promises import Promised
from app.flows.routes import by_flow
from connectors.canonical.event import decode
from connectors.sdk.outcome import Found, LookUp, Missing, Unclear
from infra import clock
from infra.database.scope import TenantScope
from infra.database.unit import begin

MOST_ASKED = 1_000
AT_ONCE = 8

_EVENTS = """
select e.id, e.sealed, e.period, m.trace_parent from event e
join message m on m.tenant_id = $1 and m.id = e.message_id
where e.tenant_id = $1 and e.id = any($2)
"""
NOT_ASKED = Promise(
    "conflict",
    f"Its last answer was lost, and more than {MOST_ASKED:,} such records are too many to ask about."
    " Choose fewer.",
    deliveries=0,
)


async def ask(
    parts: ReplayParts, scope: TenantScope, mapping: Mapping, facts: Sequence[Facts]
) -> list[Promised]:
    """Promise by what the targets say, a few asked at a time; no transaction is open meanwhile."""
    # A preview is most often asked for right after the mapping was corrected.
    routes = by_flow(await parts.routes.routes(scope.tenant_id, not_before_s=clock.monotonic_s()))
    loaded = await _events(parts, scope, facts)
    limit = asyncio.Semaphore(AT_ONCE)

    async def answer_about(each: Facts) -> LookUp:
        event, route = loaded.get(each.event_id), routes.get(each.flow_id)
        if event is None or route is None:
            return Unclear("It cannot be asked about any more.")
        return await parts.sender.ask(_claimed(scope, each), event, route)

    async def one(each: Facts) -> Promised:
        async with limit:
            return Promised(each.number, _promise(each, mapping, await answer_about(each)))

    return list(await asyncio.gather(*(one(each) for each in facts)))


def _claimed(scope: TenantScope, facts: Facts) -> Claimed:
    """Name a delivery as the sender knows it; it is in nobody's hands, and nothing is sent."""
    return Claimed(
        tenant_id=scope.tenant_id,
        id=facts.id,
        event_id=facts.event_id,
        message_id=facts.message_id,
        flow_id=facts.flow_id,
        connection_id=facts.connection_id,
        attempt=1,
        crashes=0,
        must_check=True,
        effect_key=facts.effect_key,
        accepted_at=facts.accepted_at,
    )


def _promise(facts: Facts, mapping: Mapping, answer: LookUp) -> Promise:
    judged = Judged(facts, action_of(facts.connector, facts.action), mapping, clock.now())
    match answer:
        case Found(reference=reference):
            there = f" as {reference}" if reference else ""
            words = f"Its last answer was lost; the target was asked and has it{there}."
            return Promise("no_op", words)
        case Missing():
            words = (
                "Its last answer was lost; the target was asked and does not have it. It is sent."
            )
            return made(judged, words)
        case Unclear(words=words):
            said = (
                f"Its last answer was lost, and it is not known whether the target has it: {words}"
            )
            return Promise("conflict", said[:900], deliveries=0)


async def _events(
    parts: ReplayParts, scope: TenantScope, facts: Sequence[Facts]
) -> dict[UUID, Loaded]:
    found = {}
    async with begin(scope, parts.database) as session:
        rows = await session.fetch(_EVENTS, scope.tenant_id, [each.event_id for each in facts])
        for row in rows:
            key = await parts.vault.of(scope.tenant_id, row["period"], session)
            event = decode(key.open(f"event|{row['id']}", row["sealed"]))
            found[row["id"]] = Loaded(event, row["trace_parent"])
    return found
