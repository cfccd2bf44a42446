"""What a shop sees first: is all well, what waits for somebody, how fresh each system is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.connections.directory import ConnectionConfig, read_connections
from app.exceptions.incidents.read import IncidentFilter, list_incidents
from infra import clock
from infra.database.unit import Row, begin
from infra.ids import lowest_id_at
from portal.door.desk import Desk
from portal.page.domains import DOMAINS, OTHER, Domain, domain_of
from portal.page.verdict import SEVERITIES, tone_of, verdict_of_shop
from portal.page.words import count, span
from portal.screens.today.chart import Chart, draw
from tenants.roles import Permission

SHOWN_INCIDENTS, IN_FULL, HAPPENED = 20, 3, 8
BACK, WEEK = timedelta(hours=24), timedelta(days=7)
LATE_S, VERY_LATE_S = 300, 900

# The newest that arrived, and the oldest that is still on its way, of each flow; both bounded by time.
_FLOWS = """
select f.id, f.source_connection_id, f.target_connection_id, f.event_types, f.is_enabled,
    (select d.settled_at from delivery d where d.tenant_id = f.tenant_id and d.id >= $2
        and d.flow_id = f.id and d.state = 'delivered' order by d.id desc limit 1) as arrived_at,
    open.waiting, open.oldest_at, coalesce(h.state, 'closed') <> 'closed' as is_down
from flow f left join connection_health h
    on h.tenant_id = f.tenant_id and h.connection_id = f.target_connection_id
left join lateral (
    select count(*) as waiting, min(accepted_at) as oldest_at from (
        select d.accepted_at from delivery d where d.tenant_id = f.tenant_id
        and d.connection_id = f.target_connection_id and d.flow_id = f.id and d.is_open
        and d.state <> 'held' limit 10000) o) open on true
where f.tenant_id = $1 order by f.name
"""
_HELD = (
    "select count(*) as held, coalesce(sum(abs(amount)), 0) as amount, min(created_at) as oldest_at"
    " from hold where tenant_id = $1 and state = 'open'"
)
_HAPPENED = (
    "(select at, words, kind, incident_id as incident from incident_moment where tenant_id = $1"
    " order by id desc limit $2) union all (select at, words, kind, null from change"
    " where tenant_id = $1 order by at desc limit $2) order by at desc limit $2"
)
# From the closed books, which the scheduler counts every half minute: a page never counts records.
_HOURS = """
select hour, sum(accepted)::bigint as accepted, sum(in_flight)::bigint as in_flight,
    sum(abs(unaccounted))::bigint as unaccounted, max(checked_at) as checked_at,
    sum(coalesce((fates ->> 'delivered')::bigint, 0) + coalesce((fates ->> 'superseded')::bigint, 0))
        ::bigint as delivered
from book_hour where tenant_id = $1 and (hour >= $3 or (hour >= $2 and hour < $2 + interval '1 day'))
group by hour order by hour
"""
_KINDS = {
    "opened": "bad",
    "regressed": "bad",
    "escalated": "bad",
    "grown": "warn",
    "resolved": "ok",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One crossing of data and system: `own` marks where the truth lives."""

    is_own: bool
    tone: str
    words: str
    title: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """The grid: parts of the business by systems; a missing cell is a way that does not exist."""

    columns: list[ConnectionConfig]
    rows: list[tuple[Domain, dict[UUID, Cell]]]

    @property
    def ill(self) -> list[tuple[Domain, ConnectionConfig, Cell]]:
        """Give what is late, for narrow screens."""
        return [
            (domain, column, cells[column.id])
            for domain, cells in self.rows
            for column in self.columns
            if column.id in cells and cells[column.id].tone in ("bad", "warn")
        ]


async def today(desk: Desk) -> dict[str, Any]:
    """Read everything that the page shows."""
    now, tenant_id = clock.now(), desk.scope.tenant_id
    wanted = IncidentFilter(is_snoozed=False)
    incidents = await list_incidents(desk.scope, desk.parts.database, wanted, SHOWN_INCIDENTS)
    midnight = _midnight(now, desk)
    async with begin(desk.scope, desk.parts.database) as session:
        connections = await read_connections(session)
        flows = await session.fetch(_FLOWS, tenant_id, lowest_id_at(now - BACK))
        held = await session.fetch_one(_HELD, tenant_id)
        happened = await session.fetch(_HAPPENED, tenant_id, HAPPENED)
        hours = await session.fetch(_HOURS, tenant_id, midnight - WEEK, midnight)
    return {
        "verdict": verdict_of_shop(incidents, held["held"] if held else 0),
        "in_full": incidents[:IN_FULL],
        "further": incidents[IN_FULL:],
        "accepted": sum(row["accepted"] for row in hours if row["hour"] >= midnight),
        "standing": _standing([row for row in hours if row["hour"] >= midnight]),
        "counted_at": max((row["checked_at"] for row in hours), default=now),
        "held": held,
        "freshness": _freshness(flows, connections, now),
        "happened": [{**dict(row), "tone": _KINDS.get(row["kind"], "mute")} for row in happened],
        "chart": _chart(hours, midnight, now, desk),
        "tone_of": tone_of,
        "severities": SEVERITIES,
        "may_decide": desk.may(Permission.EXCEPTIONS_DECIDE),
    }


def _standing(hours: Sequence[Row]) -> str:
    """Say the books of today in a few words."""
    if not any(row["accepted"] for row in hours):
        return "nothing came in today"
    lost = sum(row["unaccounted"] for row in hours)
    words = "nothing lost" if not lost else f"{count(lost)} cannot be found"
    delivered, under_way = (sum(row[name] for row in hours) for name in ("delivered", "in_flight"))
    return f"{count(delivered)} delivered, {count(under_way)} on the way, {words}"


def _midnight(now: datetime, desk: Desk) -> datetime:
    local = now.astimezone(desk.retailer.zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _chart(hours: Sequence[Row], midnight: datetime, now: datetime, desk: Desk) -> Chart | None:
    """Draw records accepted by hour: today, and the same weekday a week ago."""
    counted = {row["hour"]: row["accepted"] for row in hours}
    then = {hour + WEEK: number for hour, number in counted.items() if hour < midnight}
    return draw(midnight, now, counted, then, desk.retailer.zone)


def _freshness(
    flows: Sequence[Row], connections: Sequence[ConnectionConfig], now: datetime
) -> Freshness:
    cells: dict[str, dict[UUID, Cell]] = {}
    for flow in flows:
        for domain in {domain_of(each) for each in flow["event_types"]}:
            row = cells.setdefault(domain.key, {})
            told = _cell(flow, now)
            kept = row.get(flow["target_connection_id"])
            if kept is None or kept.is_own or told.tone == "bad":
                row[flow["target_connection_id"]] = told
            row.setdefault(flow["source_connection_id"], _OWN)
    used = {connection for row in cells.values() for connection in row}
    rows = [(each, cells[each.key]) for each in (*DOMAINS, OTHER) if each.key in cells]
    return Freshness([each for each in connections if each.id in used], rows)


_OWN = Cell(is_own=True, tone="", words="source", title="the truth of this comes from here")


def _cell(flow: Row, now: datetime) -> Cell:
    """Say how fresh a target is: by the oldest that waits, else by the newest that arrived."""
    if not flow["is_enabled"]:
        return Cell(is_own=False, tone="mute", words="paused", title="this flow is paused")
    if flow["waiting"]:
        age_s = (now - flow["oldest_at"]).total_seconds()
        is_grave = flow["is_down"] or age_s > VERY_LATE_S
        tone = "bad" if is_grave else "warn" if age_s > LATE_S else "ok"
        title = f"{count(flow['waiting'])} on the way, the oldest for {span(age_s)}"
        words = f"{span(age_s)} behind" if tone != "ok" else span(age_s)
        return Cell(is_own=False, tone=tone, words=words, title=title)
    if flow["is_down"]:
        return Cell(is_own=False, tone="bad", words="down", title="nothing can be sent there now")
    if flow["arrived_at"] is None:
        return Cell(is_own=False, tone="mute", words="quiet", title="nothing in 24 hours")
    ago = span((now - flow["arrived_at"]).total_seconds())
    return Cell(is_own=False, tone="ok", words=f"{ago}", title=f"the newest arrived {ago} ago")
