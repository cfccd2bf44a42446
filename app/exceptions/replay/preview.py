"""Preview a replay in the background, step by step; killed anywhere, it goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from app.exceptions.replay.actions import action_of
from app.exceptions.replay.ask import MOST_ASKED, NOT_ASKED, ask
from app.exceptions.replay.collect import TooManyRecords, collect
from app.exceptions.replay.dry_run import dry_run
from app.exceptions.replay.facts import Facts, read_facts
from app.exceptions.replay.limits import read_limits, why_approval
from app.exceptions.replay.parts import ReplayParts
from app.exceptions.replay.promise import RUNS, Judged, Mapping, Promise, promise_of
from app.exceptions.replay.selection import Selection
from app.exceptions.replay.totals import effects, sums
from app.exceptions.replay.write_promises import Promised, write_promises
from infra import clock
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin

AT_A_TIME = 2_000
READ_AT_A_TIME = 100
ASKED_AT_A_TIME = 40
# Reading anew costs a tenth of a millisecond each; beyond this many it is not done in advance.
MOST_READ = 20_000

_NOTHING = "Nothing fits this selection any more."
# Whoever else previews this one at the moment is left alone.
_MINE = """
select selection, mapping, records, previewed from replay
where tenant_id = $1 and id = $2 and state = 'previewing' for update skip locked
"""
_OPEN = """
select number, delivery_id from replay_item
where tenant_id = $1 and replay_id = $2 and promised = '' order by number limit $3
"""
_COUNTS = """
select count(*) filter (where promised = '' and delivery_id is not null) as to_ask,
    count(*) filter (where promised <> '' and delivery_id is null) as read
from replay_item where tenant_id = $1 and replay_id = $2
"""
# All at once: what is asked or read must not depend on how many steps it took.
_GIVE_UP = """
update replay_item set promised = $3, promised_words = $4, deliveries = $5
where tenant_id = $1 and replay_id = $2 and promised = '' and (delivery_id is null) = $6
"""
_READ_AGAIN = Promise(
    "read_again",
    "Held until now; it is read anew. What it becomes is not known in advance, for there are too"
    " many to read.",
)
_NO_BODY = Promise("conflict", "Its content is not here any more.", deliveries=0)
_GONE = Promise("conflict", "Its flow or connection does not exist any more.", deliveries=0)


@dataclass(frozen=True, slots=True)
class _Open:
    """Items that need more than the book: held messages to read, deliveries to ask about.

    `gone` are those of which the book no longer has all.
    """

    mapping: Mapping
    to_read: tuple[int, ...]
    to_ask: tuple[Facts, ...]
    gone: tuple[int, ...]


async def preview_step(parts: ReplayParts, scope: TenantScope, replay_id: UUID) -> bool:
    """Do one step of a preview; False when nothing was left to do, or another does it."""
    try:
        async with begin(scope, parts.database) as session:
            replay = await session.fetch_one(_MINE, scope.tenant_id, replay_id)
            if replay is None:
                return False
            if await _step_in_book(session, scope.tenant_id, replay_id, replay):
                return True
            await _give_up(session, scope.tenant_id, replay_id)
            still_open = await _still_open(session, scope.tenant_id, replay_id, replay["mapping"])
            if still_open is None:
                await _finish(session, scope.tenant_id, replay_id)
                return True
    except TooManyRecords as refusal:
        await _refuse(parts, scope, replay_id, refusal.detail)
        return True
    promised = await _look(parts, scope, replay_id, still_open)
    async with begin(scope, parts.database) as session:
        await write_promises(session, scope.tenant_id, replay_id, promised)
    return True


async def _step_in_book(session: Session, tenant_id: UUID, replay_id: UUID, replay: Row) -> bool:
    """Collect, or judge the next few from the book alone; False when that is done."""
    if not replay["records"]:
        wanted = Selection.model_validate_json(replay["selection"])
        count = await collect(session, tenant_id, replay_id, wanted)
        if count:
            await session.execute(
                "update replay set records = $3 where tenant_id = $1 and id = $2",
                tenant_id,
                replay_id,
                count,
            )
        else:
            await _mark_refused(session, tenant_id, replay_id, _NOTHING)
        return True
    if replay["previewed"] >= replay["records"]:
        return False
    last = min(replay["records"], replay["previewed"] + AT_A_TIME)
    numbers = range(replay["previewed"] + 1, last + 1)
    await _judge(session, tenant_id, replay_id, numbers, replay["mapping"])
    await session.execute(
        "update replay set previewed = $3 where tenant_id = $1 and id = $2",
        tenant_id,
        replay_id,
        last,
    )
    return True


async def _judge(
    session: Session, tenant_id: UUID, replay_id: UUID, numbers: Sequence[int], mapping: str
) -> None:
    now, chosen = clock.now(), cast("Mapping", mapping)
    promised = []
    for facts in await read_facts(session, tenant_id, replay_id, numbers):
        action = action_of(facts.connector, facts.action)
        promise = promise_of(Judged(facts, action, chosen, now))
        if promise is not None:
            promised.append(Promised(facts.number, promise))
    await write_promises(session, tenant_id, replay_id, promised)


async def _give_up(session: Session, tenant_id: UUID, replay_id: UUID) -> None:
    """Settle what is too much to ask about, or to read in advance, by one rule for all of it."""
    counts = await session.fetch_one(_COUNTS, tenant_id, replay_id)
    for promise, is_message, is_too_much in (
        (NOT_ASKED, False, counts is not None and counts["to_ask"] > MOST_ASKED),
        (_READ_AGAIN, True, counts is not None and counts["read"] >= MOST_READ),
    ):
        if is_too_much:
            await session.execute(
                _GIVE_UP,
                tenant_id,
                replay_id,
                promise.promised,
                promise.words,
                promise.deliveries,
                is_message,
            )


async def _still_open(
    session: Session, tenant_id: UUID, replay_id: UUID, mapping: str
) -> _Open | None:
    rows = await session.fetch(_OPEN, tenant_id, replay_id, READ_AT_A_TIME)
    if not rows:
        return None
    asked = [row["number"] for row in rows if row["delivery_id"] is not None][:ASKED_AT_A_TIME]
    facts = await read_facts(session, tenant_id, replay_id, asked)
    known = {each.number for each in facts}
    return _Open(
        cast("Mapping", mapping),
        tuple(row["number"] for row in rows if row["delivery_id"] is None),
        tuple(facts),
        tuple(number for number in asked if number not in known),
    )


async def _look(
    parts: ReplayParts, scope: TenantScope, replay_id: UUID, still_open: _Open
) -> list[Promised]:
    promised = [Promised(number, _GONE) for number in still_open.gone]
    if still_open.to_ask:
        promised += await ask(parts, scope, still_open.mapping, still_open.to_ask)
    if still_open.to_read:
        read = await dry_run(parts, scope, replay_id, still_open.to_read)
        known = {each.number for each in read}
        promised += read
        promised += [Promised(n, _NO_BODY) for n in still_open.to_read if n not in known]
    return promised


async def _finish(session: Session, tenant_id: UUID, replay_id: UUID) -> None:
    """Sum up, and say whether a second person must approve."""
    preview: dict[str, Any] = {
        "by": await sums(session, tenant_id, replay_id, "promised"),
        "effects": await effects(session, tenant_id, replay_id),
    }
    why = why_approval(preview, await read_limits(session, tenant_id))
    chosen = sum(preview["by"][name]["records"] for name in RUNS if name in preview["by"])
    await session.execute(
        "update replay set state = 'previewed', preview = $3, chosen = $4, needs_approval = $5,"
        " words = $6, previewed_at = now() where tenant_id = $1 and id = $2",
        tenant_id,
        replay_id,
        json.dumps(preview),
        chosen,
        bool(why),
        why,
    )


async def _refuse(parts: ReplayParts, scope: TenantScope, replay_id: UUID, words: str) -> None:
    async with begin(scope, parts.database) as session:
        await _mark_refused(session, scope.tenant_id, replay_id, words)


async def _mark_refused(session: Session, tenant_id: UUID, replay_id: UUID, words: str) -> None:
    await session.execute(
        "update replay set state = 'refused', words = $3, finished_at = now()"
        " where tenant_id = $1 and id = $2 and state = 'previewing'",
        tenant_id,
        replay_id,
        words,
    )
