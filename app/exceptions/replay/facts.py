"""What is known of the records of a replay at this moment: the same question at preview and at run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from infra.database.unit import Row, Session

# An attempt has a greater id than its delivery. Sought by time: by id alone the planner would look for
# the last one through all that were ever made after it.
_ITEMS = """
select i.number, i.promised, i.pinned_version, d.id, d.event_id, d.message_id, d.flow_id,
    d.source_connection_id, d.connection_id, d.lane_hash, d.state, d.code, d.replay_no, d.is_open,
    d.effect_key, d.external_ref, d.accepted_at, d.settled_at, e.type, e.object_id, e.key, e.label,
    e.amount, e.currency, f.action, f.ordering, f.version, f.is_enabled, f.is_paused, c.connector,
    c.state as connection_state, m.state as message_state, m.accept_seq, l.blocked_by,
    last.outcome as last_outcome, last.flow_version as last_version, h.id as open_hold_id,
    k.period is null as is_erased,
    exists (select 1 from delivery n where n.tenant_id = $1 and n.event_id = d.event_id
        and n.flow_id = d.flow_id and n.replay_no > d.replay_no) as is_replayed_since,
    (select max(v.version) from flow_version v where v.tenant_id = $1 and v.flow_id = d.flow_id
        and v.published_at <= d.accepted_at) as version_then
from replay_item i
join delivery d on d.tenant_id = $1 and d.id = i.delivery_id
join event e on e.tenant_id = $1 and e.id = d.event_id
join flow f on f.tenant_id = $1 and f.id = d.flow_id
join connection c on c.tenant_id = $1 and c.id = d.connection_id
join message m on m.tenant_id = $1 and m.id = d.message_id
left join lane l on l.tenant_id = $1 and l.connection_id = d.connection_id and l.lane_hash = d.lane_hash
left join data_key k on k.tenant_id = $1 and k.period = e.period
left join hold h on h.tenant_id = $1 and h.delivery_id = d.id and h.state = 'open'
left join lateral (select outcome, flow_version from attempt a where a.tenant_id = $1
    and a.delivery_id = d.id and a.id > d.id order by a.started_at desc, a.id desc limit 1) last on true
where i.tenant_id = $1 and i.replay_id = $2 and i.number = any($3::int[])
order by i.number
"""
# Which of these are being brought by another replay, or will be by one that runs.
_ELSEWHERE = """
select x.delivery_id from replay_item x join replay r on r.tenant_id = $1 and r.id = x.replay_id
where x.tenant_id = $1 and x.delivery_id = any($3::uuid[]) and x.replay_id <> $2
    and x.state in ('waiting', 'started') and (x.state = 'started' or r.state = 'running')
"""
_CHOSEN = """
select delivery_id from replay_item where tenant_id = $1 and delivery_id = any($3::uuid[])
    and replay_id = $2 and state in ('waiting', 'started')
"""
# For each object and flow the newest record of it, in order of acceptance, that reached the target, is
# under way, or is brought by this very replay: one look per object, however often it was told. What is
# younger than an event has a greater id than the event's message.
_NEWEST = """
select o.place, max(m.accept_seq) filter (where d.state = 'delivered') as delivered,
    max(m.accept_seq) filter (where d.is_open and e.type = o.type) as same_open,
    max(m.accept_seq) filter (where d.is_open and e.type <> o.type) as other_open,
    max(m.accept_seq) filter (where o.ordering = 'latest_wins' and not d.is_open
        and d.state <> 'delivered' and d.id in (select x.delivery_id from replay_item x
            where x.tenant_id = $1 and x.replay_id = $2 and x.state in ('waiting', 'started'))) as here
from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[]) with ordinality
    as o (flow_id, ordering, object_id, key, type, oldest, place)
join event e on e.tenant_id = $1 and e.object_id = o.object_id and e.id > o.oldest and e.key = o.key
join delivery d on d.tenant_id = $1 and d.event_id = e.id and d.flow_id = o.flow_id
join message m on m.tenant_id = $1 and m.id = e.message_id
group by o.place
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """One delivery, its event, flow and target, and what else bears on sending it again.

    `is_newer_*`: a record of the same object that was accepted later was delivered, is under way (of
    the same type, or of another: `is_other_open`), or is in this replay. `is_blocked`: an earlier
    record of its key is held and not in this replay. `last_version` is the version of the flow that
    its last attempt was made with, `version_then` that when it was accepted; None when not known.
    """

    number: int
    promised: str
    pinned_version: int | None
    id: UUID
    event_id: UUID
    message_id: UUID
    flow_id: UUID
    source_connection_id: UUID
    connection_id: UUID
    lane_hash: bytes
    state: str
    code: str
    replay_no: int
    effect_key: str
    external_ref: str
    accepted_at: datetime
    settled_at: datetime | None
    type: str
    key: str
    label: str
    amount: Decimal | None
    currency: str | None
    action: str
    ordering: str
    version: int
    connector: str
    connection_state: str
    message_state: str
    last_outcome: str | None
    last_version: int | None
    version_then: int | None
    open_hold_id: UUID | None
    is_enabled: bool
    is_paused: bool
    is_erased: bool
    is_newer_delivered: bool
    is_newer_open: bool
    is_other_open: bool
    is_newer_here: bool
    is_replayed_since: bool
    is_blocked: bool
    is_elsewhere: bool

    @property
    def is_final(self) -> bool:
        """Say whether nothing of this delivery is under way or held."""
        return self.settled_at is not None or self.state in _FINAL


_FINAL = ("delivered", "superseded", "discarded", "cancelled")
_Object = tuple[UUID, str, str, str, str]
_NOTHING_NEWER = dict.fromkeys(("delivered", "same_open", "other_open", "here"), -1)


async def read_facts(
    session: Session, tenant_id: UUID, replay_id: UUID, numbers: Sequence[int]
) -> list[Facts]:
    """Give the facts of the items with a delivery, in their order; items of messages are left out."""
    rows = await session.fetch(_ITEMS, tenant_id, replay_id, list(numbers))
    if not rows:
        return []
    newest = await _newest(session, tenant_id, replay_id, rows)
    elsewhere = await _ids(session, _ELSEWHERE, (tenant_id, replay_id), [row["id"] for row in rows])
    blockers = {row["blocked_by"] for row in rows} - {None}
    chosen = await _ids(session, _CHOSEN, (tenant_id, replay_id), list(blockers))
    return [
        _facts(row, newest.get(_object(row), _NOTHING_NEWER), elsewhere, chosen) for row in rows
    ]


async def _newest(
    session: Session, tenant_id: UUID, replay_id: UUID, rows: Sequence[Row]
) -> dict[_Object, dict[str, int]]:
    """Give the newest order of acceptance for each object that something might have overtaken."""
    oldest: dict[_Object, UUID] = {}
    for row in rows:
        if not row["is_open"] or (row["ordering"] == "none" and row["state"] == "held"):
            place = _object(row)
            oldest[place] = min(row["message_id"], oldest.get(place, row["message_id"]))
    if not oldest:
        return {}
    objects = list(oldest)
    columns = [list(column) for column in zip(*objects, strict=True)]
    found = await session.fetch(_NEWEST, tenant_id, replay_id, *columns, list(oldest.values()))
    return {
        objects[row["place"] - 1]: {
            name: -1 if row[name] is None else row[name] for name in _NOTHING_NEWER
        }
        for row in found
    }


async def _ids(
    session: Session, statement: str, scope: tuple[UUID, UUID], among: Sequence[UUID]
) -> frozenset[UUID]:
    if not among:
        return frozenset()
    rows = await session.fetch(statement, *scope, list(among))
    return frozenset(row["delivery_id"] for row in rows)


def _object(row: Row) -> _Object:
    return (row["flow_id"], row["ordering"], row["object_id"], row["key"], row["type"])


def _facts(
    row: Row, newest: dict[str, int], elsewhere: frozenset[UUID], chosen: frozenset[UUID]
) -> Facts:
    blocker, mine = row["blocked_by"], row["accept_seq"]
    judged: dict[str, Any] = {
        "is_newer_delivered": newest["delivered"] > mine,
        "is_newer_open": newest["same_open"] > mine,
        "is_other_open": newest["other_open"] > mine,
        "is_newer_here": newest["here"] > mine,
        "is_elsewhere": row["id"] in elsewhere,
        "is_blocked": blocker is not None and blocker != row["id"] and blocker not in chosen,
    }
    read = {name: row[name] for name in Facts.__slots__ if name not in judged}
    return Facts(**read, **judged)
