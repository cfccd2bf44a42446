"""What the pages of incidents show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from app.api.paging import cursor_after, read_cursor
from app.exceptions.incidents.incident import Incident
from app.exceptions.incidents.read import IncidentFilter, Shown, list_incidents, read_incident
from app.exceptions.incidents.records import list_records
from infra import clock
from infra.ids import Id
from portal.door.desk import Desk
from portal.door.viewer import Viewer
from portal.page.verdict import SEVERITIES, tone_of
from portal.reach import Reached, reached, total
from tenants.roles import Permission

PAGE, RECORDS = 30, 20
_LIST = "portal incidents"
STATES: tuple[tuple[Shown, str], ...] = (("open", "Open"), ("resolved", "Over"), ("any", "All"))
# What people choose from, and how long that is.
SNOOZES: dict[str, tuple[str, timedelta]] = {
    "1h": ("for 1 hour", timedelta(hours=1)),
    "4h": ("for 4 hours", timedelta(hours=4)),
    "1d": ("until tomorrow", timedelta(days=1)),
    "7d": ("for a week", timedelta(days=7)),
}


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause wherever it is: its incidents with their retailers, the most pressing first."""

    members: tuple[tuple[Reached, Incident], ...]

    @property
    def first(self) -> Incident:
        """Give the most pressing one."""
        return self.members[0][1]

    @property
    def severity(self) -> int:
        """Give the gravest severity."""
        return max(each.severity for _, each in self.members)

    @property
    def at_risk(self) -> dict[str, Decimal]:
        """Sum the money."""
        return total(each.at_risk for _, each in self.members)

    @property
    def records(self) -> int:
        """Count what is held and what waits."""
        return sum(each.records for _, each in self.members)

    @property
    def since(self) -> datetime:
        """Give the first beginning (UTC)."""
        return min(each.since_at for _, each in self.members)

    @property
    def owners(self) -> tuple[str, ...]:
        """Name who is on it."""
        return tuple(dict.fromkeys(each.owner for _, each in self.members if each.owner))


async def causes(viewer: Viewer, *, only_mine: bool) -> dict[str, Any]:
    """Give all open causes over all retailers, the most pressing first."""
    grouped: dict[bytes, list[tuple[Reached, Incident]]] = {}
    for retailer in await reached(viewer):
        for each in retailer.incidents:
            if not only_mine or each.owner == viewer.actor:
                grouped.setdefault(each.fingerprint, []).append((retailer, each))
    found = [
        Cause(tuple(sorted(each, key=lambda one: -one[1].weight))) for each in grouped.values()
    ]
    ranked = sorted(found, key=lambda each: -sum(one.weight for _, one in each.members))
    return {"causes": ranked, "only_mine": only_mine, "tone_of": tone_of, "severities": SEVERITIES}


async def of_retailer(desk: Desk, state: Shown, cursor: str | None) -> dict[str, Any]:
    """Give one page of a retailer's incidents."""
    wanted = IncidentFilter(state=state, before=read_cursor(_LIST, cursor))
    found = await list_incidents(desk.scope, desk.parts.database, wanted, PAGE + 1)
    page: Sequence[Incident] = found[:PAGE]
    return {
        "incidents": page,
        "state": state,
        "states": STATES,
        "next_cursor": cursor_after(_LIST, page[-1].id) if len(found) > PAGE else None,
        "tone_of": tone_of,
        "severities": SEVERITIES,
    }


async def one(desk: Desk, incident_id: Id) -> dict[str, Any]:
    """Give one incident with its records and what the person may do about it."""
    view = await read_incident(desk.scope, desk.parts.database, incident_id)
    records = await list_records(
        desk.scope, desk.parts.database, incident_id, "open", None, RECORDS
    )
    incident = view.incident
    is_open = incident.state != "resolved"
    return {
        "view": view,
        "incident": incident,
        "records": records,
        "tone": tone_of(incident.severity) if is_open else "ok",
        "severity": SEVERITIES[incident.severity],
        "is_snoozed": incident.snoozed_until is not None and incident.snoozed_until > clock.now(),
        "snoozes": [(key, words) for key, (words, _) in SNOOZES.items()],
        "may_decide": is_open and desk.may(Permission.EXCEPTIONS_DECIDE),
        "may_replay": is_open and bool(records) and desk.may(Permission.REPLAYS_RUN),
    }
