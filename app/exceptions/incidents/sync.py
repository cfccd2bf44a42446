"""Keep incidents true: group what is new, count what is open, tell what changed, close what is over.

Runs every two seconds. One round has a bound: so many new records, so many incidents, big ones less
often. Two rounds at once are harmless: rows are locked before they are read, skipped where another
round has them, and what was told is part of the row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.exceptions.incidents.cause import NO_CHANGE, find_cause
from app.exceptions.incidents.find import Found, find_broken, find_failing
from app.exceptions.incidents.group import ensure_incidents, group_holds
from app.exceptions.incidents.incident import COLUMNS, Incident, Moment, incident_of
from app.exceptions.incidents.keep import add_moments, is_worth_writing, keep
from app.exceptions.incidents.measure import Measured, Sought, measure
from app.exceptions.incidents.progress import QUIET_FOR, Look, advance, open_with
from app.exceptions.incidents.tell import Setting
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Row, Session, begin
from infra.ids import Id
from infra.telemetry.events import log_event

UNRESOLVED_MAX = 5_000
LOOKS_PER_ROUND = 400
LOOKS_AT_ONCE = 50
# (records at least, seconds between two counts): counting 100,000 takes a second or two.
LOOK_EVERY_S = ((20_000, 30.0), (2_000, 10.0), (0, 0.0))
# Failing deliveries are looked for in this many times the time that the search takes.
SEARCH_REST = 10
ENTITLEMENT = "incident_amounts"
_SAID = {"opened", "regressed", "resolved", "escalated"}

_UNRESOLVED = "select id from incident where state <> 'resolved' order by id limit $1"
_LOCK = (
    f"select {COLUMNS} from incident where id = any($1) order by tenant_id, id"  # noqa: S608
    " for update skip locked"
)
_PLACES = """
select i.id, i.tenant_id, i.connection_id, t.timezone, t.entitlements::text,
    coalesce(nullif(c.title, ''), c.name, '') as system
from incident i join tenant t on t.id = i.tenant_id
left join connection c on c.tenant_id = i.tenant_id and c.id = i.connection_id
where i.id = any($1)
"""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: records grouped, incidents counted, lines of history written."""

    grouped: int
    looked: int
    told: int


class IncidentSync:
    """The duty; remembers between rounds only when it counted what, to leave big ones in peace."""

    def __init__(
        self,
        database: Database,
        *,
        quiet_for: timedelta = QUIET_FOR,
        search_rest: float = SEARCH_REST,
    ) -> None:
        self._database = database
        self._search_rest = search_rest
        self._quiet_for = quiet_for
        self._looked: dict[UUID, _Looked] = {}
        self._failing: list[Found] = []
        self._next_search_s = 0.0

    async def go_on(self) -> Round:
        """Do one round."""
        at = clock.now()
        async with begin(EngineScope(), self._database) as session:
            broken = await find_broken(session, at)
            failing = await self._search(session, broken, at)
            present = {found.trouble: found for found in (*broken, *failing)}
            ids = await ensure_incidents(
                session, {trouble: found.since_at for trouble, found in present.items()}
            )
            unresolved = [row["id"] for row in await session.fetch(_UNRESOLVED, UNRESOLVED_MAX)]
        found_by_id = {ids[trouble]: found for trouble, found in present.items()}
        kept = {*unresolved, *found_by_id}
        self._looked = {each: at for each, at in self._looked.items() if each in kept}
        grouped, told, looked = await self._group(found_by_id)
        due = self._due([*unresolved, *found_by_id])
        for first in range(0, len(due), LOOKS_AT_ONCE):
            async with begin(EngineScope(), self._database) as session:
                now_due = due[first : first + LOOKS_AT_ONCE]
                told += await self._look(session, now_due, found_by_id, {})
        return Round(grouped, looked + len(due), told)

    async def _search(self, session: Session, broken: Sequence[Found], at: datetime) -> list[Found]:
        started_s = clock.monotonic_s()
        if started_s >= self._next_search_s:
            self._failing = await find_failing(session, broken, at)
            took_s = clock.monotonic_s() - started_s
            self._next_search_s = started_s + took_s * self._search_rest
        out_of_order = {(each.trouble.tenant_id, each.trouble.connection_id) for each in broken}
        return [
            each
            for each in self._failing
            if (each.trouble.tenant_id, each.trouble.connection_id) not in out_of_order
        ]

    async def _group(self, found: Mapping[UUID, Found]) -> tuple[int, int, int]:
        """Group new holds and look at their incidents in the same transaction.

        An incident that was over and has a record again must not be left so by a crash in between.
        """
        async with begin(EngineScope(), self._database) as session:
            began = await group_holds(session)
            over = set(self._due(began)) | set(await _resolved(session, began))
            told = await self._look(session, sorted(over), found, began) if over else 0
        return len(began), told, len(over)

    def _due(self, ids: Iterable[UUID]) -> list[UUID]:
        """Choose what to count now: what was never counted first, then what waited longest."""
        now_s = clock.monotonic_s()
        due = {each: self._looked.get(each, _NEVER) for each in ids}
        chosen = sorted(
            (each for each, looked in due.items() if looked.due_s <= now_s),
            key=lambda each: (due[each].at_s, each),
        )
        return chosen[:LOOKS_PER_ROUND]

    async def _look(
        self,
        session: Session,
        ids: Sequence[UUID],
        found: Mapping[UUID, Found],
        began: Mapping[UUID, datetime],
    ) -> int:
        """Count some incidents and write what changed; gives how many lines of history it wrote."""
        started_s = clock.monotonic_s()
        rows = await session.fetch(_PLACES, list(ids))
        settings = {row["id"]: row for row in rows}
        # Counted before the rows are locked: a person who assigns one must not wait for a count. What
        # two rounds tell is decided on the locked row.
        counts = await measure(session, [_sought(row, found.get(row["id"])) for row in rows])
        incidents = [incident_of(row) for row in await session.fetch(_LOCK, list(ids))]
        told = 0
        for incident in incidents:
            measured = counts.get(incident.id, Measured())
            here = found.get(incident.id)
            look = Look(
                measured=measured,
                at=clock.now(),
                setting=Setting(
                    settings[incident.id]["system"] or incident.connector,
                    settings[incident.id]["timezone"],
                ),
                is_broken=here is not None and here.is_broken,
                since_at=_since(here, began.get(incident.id)),
                amounts=_amounts(settings[incident.id]["entitlements"]),
                quiet_for=self._quiet_for,
            )
            told += await _progress(session, incident, look)
            self._remember(incident.id, measured.records, started_s)
        return told

    def _remember(self, incident_id: Id, records: int, at_s: float) -> None:
        rest_s = next(rest for least, rest in LOOK_EVERY_S if records >= least)
        self._looked[incident_id] = _Looked(at_s, at_s + rest_s)


@dataclass(frozen=True, slots=True)
class _Looked:
    """When an incident was counted, and when it is due again (monotonic seconds)."""

    at_s: float
    due_s: float


_NEVER = _Looked(0.0, 0.0)


async def _progress(session: Session, before: Incident, look: Look) -> int:
    """Bring one incident on, with its cause when it begins; gives the lines of history written."""
    is_bare = before.title == ""
    if is_bare and not look.is_present:
        # Over before anybody could be told: the row waits, untitled, for the next time.
        if before.state != "resolved":
            await keep(session, replace(before, state="resolved", resolved_at=look.at))
        return 0
    after, moments = open_with(before, look) if is_bare else advance(before, look)
    if any(each.kind in ("opened", "regressed") for each in moments):
        cause = await find_cause(session, after)
        after = replace(after, cause=cause)
        if cause["kind"] != NO_CHANGE:
            moments.append(Moment("cause_found", cause["words"], cause))
    if is_worth_writing(before, after):
        await keep(session, after)
    await add_moments(session, after.tenant_id, after.id, moments)
    for each in moments:
        if each.kind in _SAID:
            log_event(
                f"incident.{each.kind}",
                tenant=after.tenant_id,
                incident=after.id,
                cause=after.error_class,
                records=after.records,
            )
    return len(moments)


async def _resolved(session: Session, ids: Iterable[UUID]) -> list[UUID]:
    rows = await session.fetch(
        "select id from incident where id = any($1) and state = 'resolved'", list(ids)
    )
    return [row["id"] for row in rows]


def _sought(row: Row, here: Found | None) -> Sought:
    return Sought(
        row["tenant_id"],
        row["id"],
        row["connection_id"],
        takes_rest=here is not None and here.takes_rest,
        failing=here.failing if here else frozenset(),
    )


def _since(here: Found | None, began: datetime | None) -> datetime | None:
    moments = [each for each in (here.since_at if here else None, began) if each is not None]
    return min(moments, default=None)


def _amounts(entitlements: str) -> dict[str, Any]:
    agreed = json.loads(entitlements).get(ENTITLEMENT)
    return agreed if isinstance(agreed, dict) else {}
