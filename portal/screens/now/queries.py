"""What the wall shows: retailers ranked by money at risk, a heat grid, the latest turns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Row, begin
from portal.door.viewer import Viewer
from portal.page.domains import DOMAINS, OTHER, domain_of
from portal.page.verdict import tone_of, verdict_of_all, who_is_on_it
from portal.page.words import count, span
from portal.reach import Reached, reached

IN_FULL, IN_GRID, TURNS = 4, 14, 8
# Beyond so many the picture says "at least".
MOST_COUNTED = 20_000
LATE_S, VERY_LATE_S = 120, 900
CELL_W, CELL_H, GAP, LEFT, TOP = 84, 34, 6, 190, 26

# Counts only, and only of retailers that the person reaches: names and contents are not read here.
_HEAT = """
select tenant_id, event_type, sum(held)::bigint as held, sum(waiting)::bigint as waiting,
    min(oldest_at) as oldest_at, bool_or(is_grave) as is_grave
from (
    select h.tenant_id, h.event_type, 1 as held, 0 as waiting, h.created_at as oldest_at,
        coalesce(i.severity >= 2, false) as is_grave
    from (select tenant_id, event_type, created_at, incident_id from hold
        where tenant_id = any($1) and state = 'open' limit $2) h
    left join incident i on i.tenant_id = h.tenant_id and i.id = h.incident_id
    union all
    select w.tenant_id, e.type, 0, 1, w.accepted_at, coalesce(c.state <> 'closed', false)
    from (select tenant_id, event_id, connection_id, accepted_at from delivery
        where tenant_id = any($1) and is_open and state <> 'held' limit $2) w
    join event e on e.tenant_id = w.tenant_id and e.id = w.event_id
    left join connection_health c on c.tenant_id = w.tenant_id and c.connection_id = w.connection_id
) both_kinds group by 1, 2
"""
_TURNS = (
    "select m.at, m.kind, m.words, i.id, i.tenant_id, i.title, t.name as retailer, t.timezone"
    " from incident_moment m join incident i on i.tenant_id = m.tenant_id and i.id = m.incident_id"
    " join tenant t on t.id = m.tenant_id where m.at > now() - interval '2 days'"
    " order by m.id desc limit $1"
)
_KINDS = {
    "opened": "bad",
    "regressed": "bad",
    "escalated": "bad",
    "grown": "warn",
    "resolved": "ok",
}


@dataclass(slots=True)
class _Cell:
    held: int = 0
    waiting: int = 0
    oldest_at: datetime | None = None
    is_grave: bool = False


@dataclass(frozen=True, slots=True)
class Square:
    """One square of the grid: where it is drawn, its tone, what stands in it, what it means."""

    x: int
    y: int
    tone: str
    words: str
    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Heat:
    """The grid: one row for each retailer, one column for each part of the business."""

    width: int
    height: int
    cell: tuple[int, int]
    columns: list[tuple[int, str]]
    rows: list[tuple[int, str, str]]
    squares: list[Square]

    @property
    def ill(self) -> list[Square]:
        """Give the squares in which something waits, for narrow screens."""
        return [each for each in self.squares if each.tone in ("bad", "warn")]


async def wall(viewer: Viewer) -> dict[str, Any]:
    """Read everything that the wall shows."""
    retailers = await reached(viewer)
    cells = await _cells([each.id for each in retailers], viewer.parts.database)
    async with begin(viewer.directory, viewer.parts.database) as session:
        turns = await session.fetch(_TURNS, TURNS)
    ill = [each for each in retailers if each.incidents]
    return {
        "verdict": verdict_of_all(retailers),
        "on_it": who_is_on_it(retailers),
        "retailers": retailers,
        "ranked": ill[:IN_FULL],
        "further": ill[IN_FULL:],
        "calm": len(retailers) - len(ill),
        "heat": draw(retailers[:IN_GRID], cells),
        "left_out": max(0, len(retailers) - IN_GRID),
        "turns": [
            {
                **dict(row),
                "tone": _KINDS.get(row["kind"], "mute"),
                "zone": ZoneInfo(row["timezone"]),
            }
            for row in turns
        ],
        "tone_of": tone_of,
    }


def _turn(row: Row) -> dict[str, Any]:
    tone = _KINDS.get(row["kind"], "mute")
    return {**dict(row), "tone": tone, "zone": ZoneInfo(row["timezone"])}


async def _cells(tenant_ids: list[UUID], database: Database) -> dict[tuple[UUID, str], _Cell]:
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_HEAT, tenant_ids, MOST_COUNTED)
    cells: dict[tuple[UUID, str], _Cell] = {}
    for row in rows:
        cell = cells.setdefault((row["tenant_id"], domain_of(row["event_type"]).key), _Cell())
        cell.held += row["held"]
        cell.waiting += row["waiting"]
        cell.is_grave |= row["is_grave"]
        cell.oldest_at = min(filter(None, (cell.oldest_at, row["oldest_at"])))
    return cells


def draw(retailers: list[Reached], cells: dict[tuple[UUID, str], _Cell]) -> Heat:
    """Lay the grid out."""
    domains = (*DOMAINS, *([OTHER] if any(key == OTHER.key for _, key in cells) else []))
    squares, rows = [], []
    for line, each in enumerate(retailers):
        y = TOP + line * (CELL_H + GAP)
        rows.append((y, each.name, f"/r/{each.id}/today"))
        for column, domain in enumerate(domains):
            cell = cells.get((each.id, domain.key), _Cell())
            x = LEFT + column * (CELL_W + GAP)
            tone, words, told = _told(cell)
            title = f"{each.name}, {domain.name}: {told}"
            squares.append(Square(x, y, tone, words, title, f"/r/{each.id}/exceptions"))
    columns = [(LEFT + at * (CELL_W + GAP), each.name) for at, each in enumerate(domains)]
    width = LEFT + len(domains) * (CELL_W + GAP) - GAP
    return Heat(width, TOP + len(rows) * (CELL_H + GAP), (CELL_W, CELL_H), columns, rows, squares)


def _told(cell: _Cell) -> tuple[str, str, str]:
    """Say a cell: tone, what stands in it, and in full."""
    number = cell.held + cell.waiting
    if not number or cell.oldest_at is None:
        return "ok", "", "nothing waits"
    age_s = (clock.now() - cell.oldest_at).total_seconds()
    told = f"{count(cell.held)} to decide, {count(cell.waiting)} on the way, oldest {span(age_s)}"
    if cell.is_grave or age_s > VERY_LATE_S:
        return "bad", count(number), told
    if cell.held or age_s > LATE_S:
        return "warn", count(number), told
    return "ok", count(number), told
