"""The words of an alert: money before technics, the retailer's own time, nothing that is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from app.health.alerts.content import NAMED, Affected, Content
from app.health.alerts.notice import AlertKind, Line
from app.health.alerts.plain import counted, lasting, local, money, one_line

SUBJECT_CHARACTERS = 200
SHOPS_NAMED = 5

# How a subject begins after who is concerned.
_NEWS: Mapping[AlertKind, str] = MappingProxyType(
    {"opened": "", "regressed": "Back again: ", "escalated": "Worse: ", "resolved": "Over: "}
)
# What is wrong with a system, where many retailers have it and each title has its own counts.
_SHARED: Mapping[str, str] = MappingProxyType(
    {
        "transient": "{system} does not answer",
        "auth": "{system} refuses the sign-in",
        "rate": "{system} takes fewer records than come in",
        "data": "{system} refuses records",
        "contract": "{system} refuses records",
        "dependency": "records for {system} wait for others",
        "duplicate": "{system} has other content already",
        "unknown": "it is not known what {system} has booked",
    }
)
_SHARED_USUAL = "the same trouble at {system}"
_NOBODY = "Nobody yet. Assign it, so that two people do not do the same."


@dataclass(frozen=True, slots=True)
class Worded:
    """An alert in words: one line that says it, the facts, and one entry for each of several."""

    subject: str
    lines: tuple[Line, ...]
    entries: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Give all but the subject as lists show it."""
        return "\n".join([*(f"{line.label}: {line.text}" for line in self.lines), *self.entries])


def worded(kind: AlertKind, content: Content, at: datetime) -> Worded:
    """Say an alert; `at` is when it was made, so that repeats say the same."""
    if kind == "test":
        return _test(content)
    if kind == "digest":
        return _digest(content, at)
    if len(content.affected) == content.incidents == 1:
        return _one(kind, content, content.affected[0], at)
    return _many(kind, content, at)


def _one(kind: AlertKind, content: Content, affected: Affected, at: datetime) -> Worded:
    head = f"{content.who}: {_NEWS.get(kind, '')}{affected.title}"
    if kind == "resolved":
        over_at = affected.over_at or at
        lines = [
            Line("What", affected.title),
            Line("News", content.news or "It is over."),
            Line("Lasted", lasting(over_at - affected.since)),
        ]
        return Worded(_subject(head), _kept(lines))
    zone = affected.timezone
    deadline = local(affected.deadline_at, zone, at) if affected.deadline_at else ""
    lines = [
        Line("What", affected.title),
        Line("News", content.news),
        Line("Since", f"{local(affected.since, zone, at)} ({zone})"),
        Line("Records", f"{affected.records:,}" if affected.records else ""),
        Line("At risk", money(affected.at_risk)),
        Line("Shops", _shops(affected.shops)),
        Line("First deadline", f"{deadline} ({zone})" if deadline else ""),
        Line("Change before", _change(affected, at)),
        Line("Who is on it", _owner(affected, at)),
        Line("Next step", affected.next_step),
        Line("Note", content.note),
    ]
    return Worded(_subject(head, _stakes("", content, deadline)), _kept(lines))


def _many(kind: AlertKind, content: Content, at: datetime) -> Worded:
    first = content.affected[0]
    shared = _SHARED.get(first.error_class, _SHARED_USUAL).format(system=first.system)
    head = f"{content.who}: {_NEWS.get(kind, '')}{shared}"
    records = counted(content.records, "record", "records") if content.records else ""
    deadline = _utc(content.deadline_at, at)
    lines = [
        Line("What", shared),
        Line("Retailers", f"{content.retailers:,}"),
        Line("Since", _utc(min(each.since for each in content.affected), at)),
        Line("Records", f"{content.records:,}" if content.records else ""),
        Line("At risk", money(content.at_risk)),
        Line("First deadline", deadline),
        Line("Next step", first.next_step),
        Line("Note", content.note),
    ]
    tail = "" if kind == "resolved" else _stakes(records, content, deadline)
    return Worded(_subject(head, tail), _kept(lines), _entries(content))


def _digest(content: Content, at: datetime) -> Worded:
    told = counted(content.alerts, "further alert", "further alerts")
    incidents = counted(content.incidents, "incident", "incidents")
    records = counted(content.records, "record", "records") if content.records else ""
    deadline = _utc(content.deadline_at, at)
    still_open = content.incidents - content.over
    lines = [
        Line("What", f"{told} about {incidents}, told together"),
        Line("Still open", f"{still_open:,}"),
        Line("Over by now", f"{content.over:,}" if content.over else ""),
        Line("Retailers", f"{content.retailers:,}" if content.retailers > 1 else ""),
        Line("Records", f"{content.records:,}" if content.records else ""),
        Line("At risk", money(content.at_risk)),
        Line("First deadline", deadline),
        Line("Note", content.note),
    ]
    tail = _stakes(records, content, deadline)
    head = f"{content.who}: {told} about {incidents}, {still_open:,} still open"
    return Worded(_subject(head, tail), _kept(lines), _entries(content))


def _test(content: Content) -> Worded:
    lines = (
        Line("What", "This is a test. Alerts arrive here as this message did."),
        Line("Next step", "None. Nothing is wrong."),
    )
    return Worded(_subject(f"{content.who}: Test of alerts"), lines)


def _entries(content: Content) -> tuple[str, ...]:
    """Name the gravest, one line each, and say how many are not named."""
    named = content.affected[:NAMED]
    said = []
    for each in named:
        at_risk = money(each.at_risk)
        worth = f", {at_risk} at risk" if at_risk else ""
        over = " (over)" if each.is_over else ""
        said.append(one_line(f"{each.retailer}: {each.title}{worth}{over}"))
    more = content.incidents - len(named)
    return (*said, *([f"and {more:,} more"] if more > 0 else []))


def _stakes(records: str, content: Content, deadline: str) -> str:
    at_risk = money(content.at_risk)
    parts = [
        records,
        f"{at_risk} at risk" if at_risk else "",
        f"first deadline {deadline}" if deadline else "",
    ]
    return ", ".join(part for part in parts if part)


def _subject(head: str, tail: str = "") -> str:
    """Join both; when it is too long, the head gives way, never the money."""
    said = f" - {one_line(tail)}" if tail else ""
    return one_line(head, SUBJECT_CHARACTERS - len(said)) + said


def _shops(shops: tuple[str, ...]) -> str:
    named = ", ".join(shops[:SHOPS_NAMED])
    more = len(shops) - SHOPS_NAMED
    return f"{named} and {more:,} more" if more > 0 else named


def _change(affected: Affected, at: datetime) -> str:
    if affected.change_at is None:
        return affected.change
    return f"{affected.change} ({local(affected.change_at, affected.timezone, at)})"


def _owner(affected: Affected, at: datetime) -> str:
    if not affected.owner:
        return _NOBODY
    if affected.owner_due_at is None:
        return affected.owner
    return f"{affected.owner}, until {local(affected.owner_due_at, affected.timezone, at)}"


def _utc(moment: datetime | None, at: datetime) -> str:
    return f"{local(moment, 'UTC', at)} UTC" if moment else ""


def _kept(lines: list[Line]) -> tuple[Line, ...]:
    """Leave out what is not known; a fact is one line, whatever it was made of."""
    return tuple(Line(line.label, one_line(line.text)) for line in lines if line.text)
