"""What becomes of an incident after a count: its next state, and what is worth telling. Pure rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.exceptions.incidents.incident import Incident, Moment, State
from app.exceptions.incidents.measure import Measured
from app.exceptions.incidents.nouns import counted, money, plain
from app.exceptions.incidents.rules import runbook_of
from app.exceptions.incidents.severity import Gravity, severity_of, share_of, weight_of
from app.exceptions.incidents.tell import About, Setting, deadline, title, words

NEW_FOR = timedelta(minutes=15)
# What came back is shown as such for a day.
BACK_FOR = timedelta(hours=24)
RETURNS_WITHIN = timedelta(days=30)
# A breaker that tries and closes again within seconds is one trouble, not five.
QUIET_FOR = timedelta(seconds=15)
GROWTH = 10
GROWTH_FROM = 10


@dataclass(frozen=True, slots=True)
class Look:
    """One look at an incident: what it holds back, and when (UTC).

    `is_broken`: its connection is out of order, whether something waits or not. `since_at`: when it
    began, for one that begins or comes back with this look. `amounts`: the retailer's thresholds.
    """

    measured: Measured
    at: datetime
    setting: Setting
    is_broken: bool = False
    since_at: datetime | None = None
    amounts: dict[str, object] | None = None
    quiet_for: timedelta = QUIET_FOR

    @property
    def is_present(self) -> bool:
        """Say whether the trouble is there."""
        return self.is_broken or self.measured.records > 0


def advance(before: Incident, look: Look) -> tuple[Incident, list[Moment]]:
    """Give the incident after a look, and the moments of its history that follow from it.

    Looking twice at the same facts changes nothing the second time.
    """
    if before.state == "resolved":
        return _return(before, look) if look.is_present else (before, [])
    if not look.is_present:
        return _end(before, look)
    after = _counted(replace(before, last_seen_at=look.at), look)
    return _told(replace(after, state=_state(after, look.at)), look, [])


def open_with(before: Incident, look: Look) -> tuple[Incident, list[Moment]]:
    """Give a new incident with its first count; `before` is its bare row."""
    since_at = look.since_at or before.since_at
    bare = replace(before, state="new", first_seen_at=since_at, since_at=since_at, resolved_at=None)
    after = _counted(replace(bare, last_seen_at=look.at), look)
    return _told(after, look, [_moment("opened", after)])


def _return(before: Incident, look: Look) -> tuple[Incident, list[Moment]]:
    """Begin anew: as the same trouble come back, or after a month as a new one."""
    ended = before.resolved_at or before.last_seen_at
    is_back = look.at - ended <= RETURNS_WITHIN
    began = look.since_at or look.at
    fresh = replace(
        before,
        state="regressed" if is_back else "new",
        first_seen_at=before.first_seen_at if is_back else began,
        since_at=began,
        last_seen_at=look.at,
        peak=0,
        told={},
        cause=None,
        snoozed_until=None,
        resolved_at=None,
        resolved_by="",
        resolution="",
    )
    after = _counted(fresh, look)
    return _told(after, look, [_moment("regressed" if is_back else "opened", after)])


def _end(before: Incident, look: Look) -> tuple[Incident, list[Moment]]:
    empty = _counted(before, look)
    if look.at - before.last_seen_at < look.quiet_for:
        return empty, []
    said = f"Nothing is held or waiting any more. At most it was {counted(before.peak, 'record')}."
    after = replace(
        empty,
        state="resolved",
        resolved_at=look.at,
        resolved_by="system",
        resolution="Nothing is held or waiting any more.",
        snoozed_until=None,
        weight=empty.weight * 0,
    )
    return after, [Moment("resolved", said, {"peak": before.peak})]


def _counted(incident: Incident, look: Look) -> Incident:
    """Bring counts, money, words and severity to what was just counted."""
    measured = look.measured
    share = share_of(measured.began_at or incident.since_at, measured.deadline_at, look.at)
    severity = severity_of(
        Gravity(
            error_class=incident.error_class,
            records=measured.records or int(look.is_broken),
            urgent=measured.urgent,
            at_risk=measured.at_risk,
            share=share,
            thresholds=look.amounts or {},
        )
    )
    about = About(incident.error_class, incident.code, incident.pointer, incident.since_at)
    return replace(
        incident,
        title=title(about, measured, look.setting),
        words=words(measured, look.setting),
        severity=severity,
        held=measured.held,
        waiting=measured.waiting,
        peak=max(incident.peak, measured.records),
        at_risk=measured.at_risk,
        shops=measured.shops or incident.shops,
        flows=measured.flows or incident.flows,
        deadline_at=measured.deadline_at,
        deadline_words=deadline(measured, look.setting),
        runbook=runbook_of(incident.error_class, incident.code),
        weight=weight_of(measured.at_risk, measured.records, severity, share),
    )


def _state(incident: Incident, at: datetime) -> State:
    """Age what is new or came back; what has grown tenfold is no news any more."""
    age = at - incident.since_at
    if incident.state == "new" and (age >= NEW_FOR or _has_grown(incident)):
        return "ongoing"
    return "ongoing" if incident.state == "regressed" and age >= BACK_FOR else incident.state


def _told(incident: Incident, look: Look, moments: list[Moment]) -> tuple[Incident, list[Moment]]:
    """Add what was not told yet this time: growth, more gravity, a deadline come near."""
    told = {"severity": -1, "share": 0, "count": 0, **incident.told}
    is_first = bool(moments)
    began = look.measured.began_at or incident.since_at
    share = share_of(began, incident.deadline_at, look.at)
    if not is_first and _has_grown(incident):
        moments.append(_moment("grown", incident))
    if not is_first and (incident.severity > told["severity"] or share > told["share"]):
        moments.append(_moment("escalated", incident, _escalation(incident, told, share)))
    if is_first or _has_grown(incident):
        told["count"] = incident.records
    told["severity"] = max(told["severity"], incident.severity)
    told["share"] = max(told["share"], share)
    return replace(incident, told=told), moments


def _has_grown(incident: Incident) -> bool:
    counted_before = max(incident.told.get("count", 0), GROWTH_FROM)
    return incident.records >= counted_before * GROWTH


def _escalation(incident: Incident, told: dict[str, int], share: int) -> str:
    if share <= told["share"]:
        return "It has become graver."
    if share >= 100:  # noqa: PLR2004 - percent
        return f"The first deadline has passed. {incident.deadline_words}"
    return f"{share} % of the time to the first deadline has passed. {incident.deadline_words}"


def _moment(kind: str, incident: Incident, said: str = "") -> Moment:
    """Say a moment with the counts of that time."""
    detail = {
        "severity": incident.severity,
        "held": incident.held,
        "waiting": incident.waiting,
        "at_risk": {currency: plain(each) for currency, each in incident.at_risk.items()},
    }
    at_risk = f" {money(incident.at_risk)} at risk." if incident.at_risk else ""
    return Moment(kind, said or f"{incident.title}.{at_risk}", detail)  # type: ignore[arg-type]
