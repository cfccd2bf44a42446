"""Watch what was begun until its end is known, and write the receipt when all of it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.exceptions.replay.happened import (
    End,
    Happened,
    MessageEnd,
    happened_to,
    happened_to_message,
)
from app.exceptions.replay.items import change_items
from app.exceptions.replay.promise import RUNS
from app.exceptions.replay.totals import sums
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin

AT_A_TIME = 2_000
_WORDS_MAX = 1_000

_MINE = """
select state, started, finished from replay
where tenant_id = $1 and id = $2 and finished_at is null for update skip locked
"""
# An attempt's id is younger than its delivery's.
_LAST = """
left join lateral (select outcome from attempt a where a.tenant_id = $1 and a.delivery_id = d.id
    and a.id > d.id order by a.started_at desc, a.id desc limit 1) last on true
"""
_DELIVERIES = f"""
select i.number, i.promised, d.state, d.code, d.words, d.external_ref,
    coalesce(before.external_ref, '') as reference_before, last.outcome
from replay_item i
join delivery d on d.tenant_id = $1 and d.id = i.new_delivery_id
left join delivery before on before.tenant_id = $1 and before.id = d.replay_of
{_LAST}
where i.tenant_id = $1 and i.replay_id = $2 and i.state = 'started'
    and (not d.is_open or d.state = 'held')
order by i.number limit $3
"""  # noqa: S608 - our own text
_MESSAGES = """
select i.number, i.promised, i.deliveries, m.id, m.state, m.fate, m.code, coalesce(h.words, '') as words
from replay_item i
join message m on m.tenant_id = $1 and m.id = i.message_id
left join lateral (select words from hold where tenant_id = $1 and message_id = m.id and state = 'open'
    and delivery_id is null order by id limit 1) h on true
where i.tenant_id = $1 and i.replay_id = $2 and i.state = 'started' and i.new_delivery_id is null
    and m.state <> 'received' and not exists (select 1 from delivery d where d.tenant_id = $1
        and d.message_id = m.id and d.is_open and d.state <> 'held')
order by i.number limit $3
"""
_OF_MESSAGES = f"""
select d.message_id, d.state, d.code, d.words, d.external_ref, last.outcome
from delivery d {_LAST}
where d.tenant_id = $1 and d.message_id = any($2) and d.replay_no = 0
order by d.id
"""  # noqa: S608 - our own text
_WRITE = """
update replay_item set state = 'done', happened = new.happened, happened_words = new.words
from unnest($3::int[], $4::text[], $5::text[]) as new (number, happened, words)
where replay_item.tenant_id = $1 and replay_item.replay_id = $2
    and replay_item.number = any($3) and replay_item.number = new.number
    and replay_item.state = 'started'
"""
_COUNTS = """
select count(*) filter (where state = 'waiting' and promised = any($3)) as waiting,
    count(*) filter (where state = 'started') as started,
    count(*) filter (where state = 'done') as of,
    count(*) filter (where state = 'done' and happened = promised) as equal
from replay_item where tenant_id = $1 and replay_id = $2
"""
_FINISH = """
update replay set state = case when state = 'running' then 'done' else state end, receipt = $3,
    finished_at = now()
where tenant_id = $1 and id = $2
"""


async def finish_some(tenant_id: UUID, replay_id: UUID, database: Database) -> int:
    """Note the ends of up to 4,000 records; writes the receipt after the last. Gives how many."""
    async with begin(TenantScope(tenant_id, "engine"), database) as session:
        replay = await session.fetch_one(_MINE, tenant_id, replay_id)
        if replay is None:
            return 0
        ends = await _ends(session, tenant_id, replay_id)
        if ends:
            await _write(session, tenant_id, replay_id, ends)
        left = replay["started"] - replay["finished"] - len(ends)
        if left == 0:
            await _finish_if_all_is_done(session, tenant_id, replay_id)
    return len(ends)


async def _ends(session: Session, tenant_id: UUID, replay_id: UUID) -> list[tuple[int, Happened]]:
    ends = [
        (row["number"], happened_to(row["promised"], _end(row, row["reference_before"])))
        for row in await session.fetch(_DELIVERIES, tenant_id, replay_id, AT_A_TIME)
    ]
    messages = await session.fetch(_MESSAGES, tenant_id, replay_id, AT_A_TIME)
    if messages:
        ids = [row["id"] for row in messages]
        found: dict[UUID, list[End]] = {}
        for row in await session.fetch(_OF_MESSAGES, tenant_id, ids):
            found.setdefault(row["message_id"], []).append(_end(row))
        ends += [_message_end(row, found.get(row["id"], [])) for row in messages]
    return ends


def _end(row: Row, reference_before: str = "") -> End:
    return End(
        row["state"],
        row["outcome"],
        row["code"],
        row["words"],
        row["external_ref"],
        reference_before,
    )


def _message_end(row: Row, deliveries: Sequence[End]) -> tuple[int, Happened]:
    end = MessageEnd(row["state"], row["fate"], row["code"], row["words"], tuple(deliveries))
    return row["number"], happened_to_message(row["promised"], row["deliveries"], end)


async def _write(
    session: Session, tenant_id: UUID, replay_id: UUID, ends: Sequence[tuple[int, Happened]]
) -> None:
    columns: list[list[Any]] = [
        [number for number, _ in ends],
        [happened.what for _, happened in ends],
        [happened.words[:_WORDS_MAX] for _, happened in ends],
    ]
    await change_items(session, _WRITE, tenant_id, replay_id, columns)
    await session.execute(
        "update replay set finished = finished + $3 where tenant_id = $1 and id = $2",
        tenant_id,
        replay_id,
        len(ends),
    )


async def _finish_if_all_is_done(session: Session, tenant_id: UUID, replay_id: UUID) -> None:
    counts = await session.fetch_one(_COUNTS, tenant_id, replay_id, list(RUNS))
    if counts is None or counts["waiting"] or counts["started"]:
        return
    receipt = {
        "by": await sums(session, tenant_id, replay_id, "happened"),
        "equal": counts["equal"],
        "of": counts["of"],
    }
    await session.execute(_FINISH, tenant_id, replay_id, json.dumps(receipt))
