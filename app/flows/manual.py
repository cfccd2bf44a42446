"""Overrides from the rules that a person makes for a while: set a value, skip, or keep back.

Each has a reason and an end, at most 90 days away, which comes by itself. All are listed with how
often they were used: a workaround that is needed every day is a mapping that is missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from app.connections.freshness import FRESH_S
from app.connections.tenant import acting_tenant
from app.flows.overrides import Overrides, compile_overrides
from infra import clock
from infra.database.unit import Row, Session
from infra.errors import Conflict, FieldError, NotFound, Unprocessable
from infra.ids import Id, new_id
from tenants.audit import Detail, record

ManualKind = Literal["set", "skip", "pause"]

LONGEST_DAYS = 90
MOST_OF_A_FLOW = 500
OBJECT_ID_MAX = 500
# What a delivery that is kept back carries, so that it can be woken when the override ends early.
PAUSED_CODE = "override.paused"
SKIPPED_CODE = "override.skipped"

_COLUMNS = (
    "id, flow_id, object_id, kind, path, value::text, reason, created_by, created_at, expires_at,"
    " ended_at, ended_by, used"
)
_INSERT = (
    "insert into manual_override (tenant_id, id, flow_id, object_id, kind, path, value, reason,"
    " created_by, expires_at) values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10)"
)
# What waits for an override that has ended waits no longer than it takes until every worker knows of
# the end. A parked lane belongs to a pause of the
# flow itself, and a lane in a worker's hands is due when that worker lets go.
_WAKE = """
with kept as (
    update delivery set not_before = now() + make_interval(secs => $6)
    where tenant_id = $1 and connection_id = $2 and is_open and flow_id = $3
        and state in ('waiting', 'checking') and code = $4 and not_before > now()
        and ($5 = '' or event_id in (select id from event where tenant_id = $1 and object_id = $5))
    returning lane_hash
)
update lane set ready_at = now() + make_interval(secs => $6)
where tenant_id = $1 and connection_id = $2 and lane_hash in (select lane_hash from kept)
    and holder is null and blocked_by is null and ready_at > now() and ready_at <> 'infinity'
"""


@dataclass(frozen=True, slots=True)
class ManualOverride:
    """One override by a person; `object_id` is empty when it is for all objects of the flow.

    `used` counts how often it was applied, repeats included. Times are UTC.
    """

    id: Id
    flow_id: Id
    object_id: str
    kind: ManualKind
    path: str
    value: Any
    reason: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    ended_by: str = ""
    used: int = 0

    @property
    def is_active(self) -> bool:
        """Say whether it counts now; its end comes by itself."""
        return self.ended_at is None and clock.now() < self.expires_at


@dataclass(frozen=True, slots=True)
class NewManual:
    """What a person wants: `set` needs a path and a value, the others neither."""

    flow_id: Id
    kind: ManualKind
    reason: str
    expires_at: datetime
    object_id: str = ""
    path: str = ""
    value: Any = None


async def add_manual(session: Session, wanted: NewManual) -> ManualOverride:
    """Make an override; raises NotFound for an unknown flow, Unprocessable for what cannot be."""
    tenant_id = acting_tenant(session)
    # The flow is locked, so that two people do not both take the last place.
    flow = await session.fetch_one(
        "select name, event_types from flow where tenant_id = $1 and id = $2 for no key update",
        tenant_id,
        wanted.flow_id,
    )
    if flow is None:
        raise NotFound
    _check_end(wanted.expires_at)
    _check_value(wanted, tuple(flow["event_types"]))
    await _check_room(session, wanted.flow_id)
    manual_id = new_id()
    await session.execute(
        _INSERT,
        tenant_id,
        manual_id,
        wanted.flow_id,
        wanted.object_id,
        wanted.kind,
        wanted.path,
        None if wanted.kind != "set" else json.dumps(wanted.value),
        wanted.reason,
        _actor(session),
        wanted.expires_at,
    )
    made = await find_manual(session, manual_id)
    detail: Detail = {
        "flow": str(wanted.flow_id),
        "kind": wanted.kind,
        "object": wanted.object_id,
        "path": wanted.path,
        "reason": wanted.reason,
        "until": wanted.expires_at.isoformat(),
    }
    await record(session, "overrides.add_override", f"override:{manual_id}", detail)
    return made


async def end_manual(session: Session, manual_id: Id, reason: str) -> ManualOverride:
    """End an override before its time; what it kept back goes on.

    Raises: NotFound; Conflict when it has ended already.
    """
    tenant_id = acting_tenant(session)
    await session.fetch_one(
        "select 1 from manual_override where tenant_id = $1 and id = $2 for update",
        tenant_id,
        manual_id,
    )
    manual = await find_manual(session, manual_id)
    if not manual.is_active:
        raise Conflict("This override has ended already.", code="override.ended")
    await session.execute(
        "update manual_override set ended_at = now(), ended_by = $3"
        " where tenant_id = $1 and id = $2",
        tenant_id,
        manual_id,
        _actor(session),
    )
    if manual.kind == "pause":
        await _wake(session, manual)
    detail: Detail = {"flow": str(manual.flow_id), "reason": reason, "used": manual.used}
    await record(session, "overrides.end_override", f"override:{manual_id}", detail)
    return await find_manual(session, manual_id)


async def find_manual(session: Session, manual_id: Id) -> ManualOverride:
    """Give one override; raises NotFound when it is missing or foreign."""
    row = await session.fetch_one(
        f"select {_COLUMNS} from manual_override where tenant_id = $1 and id = $2",  # noqa: S608
        acting_tenant(session),
        manual_id,
    )
    if row is None:
        raise NotFound
    return manual_of(row)


async def list_manual(
    session: Session, *, flow_id: Id | None, with_ended: bool, before: Id | None, limit: int
) -> list[ManualOverride]:
    """Give up to `limit` overrides, newest first; those that ended only when asked for."""
    rows = await session.fetch(
        f"select {_COLUMNS} from manual_override where tenant_id = $1"  # noqa: S608
        " and ($2::uuid is null or flow_id = $2)"
        " and ($3 or (ended_at is null and expires_at > now()))"
        " and ($4::uuid is null or id < $4) order by id desc limit $5",
        acting_tenant(session),
        flow_id,
        with_ended,
        before,
        limit,
    )
    return [manual_of(row) for row in rows]


async def read_active(session: Session) -> list[ManualOverride]:
    """Give what counts now in one retailer, oldest first."""
    rows = await session.fetch(
        f"select {_COLUMNS} from manual_override where tenant_id = $1"  # noqa: S608
        " and ended_at is null and expires_at > now() order by id",
        acting_tenant(session),
    )
    return [manual_of(row) for row in rows]


def rules_of(manual: ManualOverride, event_types: tuple[str, ...]) -> Overrides:
    """Give an override that sets a value as a rule of the mapping."""
    rule = {"path": manual.path, "kind": "constant", "value": manual.value}
    return compile_overrides([rule], event_types)


def manual_of(row: Row) -> ManualOverride:
    """Read a row."""
    values = dict(row)
    values["value"] = None if row["value"] is None else json.loads(row["value"])
    return ManualOverride(**values)


def _check_end(expires_at: datetime) -> None:
    now = clock.now()
    if not now < expires_at <= now + timedelta(days=LONGEST_DAYS):
        words = f"An override ends in the future, at most {LONGEST_DAYS} days from now."
        raise _refused("/expires_at", words)


def _check_value(wanted: NewManual, event_types: tuple[str, ...]) -> None:
    if wanted.kind != "set":
        if wanted.path or wanted.value is not None:
            raise _refused("/path", "Only an override that sets a value has a path and a value.")
        return
    if not wanted.path:
        raise _refused("/path", "Name the field to set, like `body.lines[*].sku`.")
    rule = {"path": wanted.path, "kind": "constant", "value": wanted.value}
    try:
        compile_overrides([rule], event_types)
    except Unprocessable as refusal:
        place = refusal.errors[0].pointer.rpartition("/")[2]
        raise _refused(f"/{place}", refusal.errors[0].detail) from None


async def _check_room(session: Session, flow_id: Id) -> None:
    count = await session.fetch_value(
        "select count(*) from manual_override where tenant_id = $1 and flow_id = $2"
        " and ended_at is null and expires_at > now()",
        acting_tenant(session),
        flow_id,
    )
    if count >= MOST_OF_A_FLOW:
        raise _refused("/flow_id", f"A flow has at most {MOST_OF_A_FLOW} overrides at a time.")


async def _wake(session: Session, manual: ManualOverride) -> None:
    target = await session.fetch_value(
        "select target_connection_id from flow where tenant_id = $1 and id = $2",
        acting_tenant(session),
        manual.flow_id,
    )
    await session.execute(
        _WAKE,
        acting_tenant(session),
        target,
        manual.flow_id,
        PAUSED_CODE,
        manual.object_id,
        FRESH_S + 0.5,
    )


def _actor(session: Session) -> str:
    # `acting_tenant` refuses every scope that names nobody.
    return cast("str", getattr(session.scope, "actor", ""))


def _refused(pointer: str, words: str) -> Unprocessable:
    return Unprocessable(
        words, code="override.invalid", errors=(FieldError(pointer, "override.invalid", words),)
    )
