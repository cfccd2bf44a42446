"""One batch of moments on its way to rows: who is told what, alone, with others, or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.health.alerts.content import NextStep, affected_of, content_of, written
from app.health.alerts.desk import NIL, ChannelRules, Desk, Gathering, Knowledge
from app.health.alerts.plain import lasting
from app.health.alerts.rules import Fate, Happening, Known, Reader, Ruling, rule
from app.health.alerts.severity import CRITICAL, is_critical
from app.health.alerts.words import worded
from infra.database.unit import Row, Session
from infra.ids import Id, new_id

# A partner's channel waits so long for the same cause at further retailers (seconds); what comes
# later is told in a second alert, so long after the first.
GATHER_S = 20.0
SECOND_S = 120.0
SECOND_CRITICAL_S = 60.0
_NEWS = {"escalated", "resolved"}

_DROP = (
    "update alert set state = 'unneeded', told_by = null, last_problem = $3"
    " where tenant_id = $1 and id = $2"
)
_GRAVER = (
    "update alert set severity = greatest(severity, $3), due_at = least(due_at, $4)"
    " where tenant_id = $1 and id = $2"
)
_INSERT = (
    "insert into alert (tenant_id, id, partner_id, channel_id, incident_id, moment_id, thread_id, kind,"
    " gathers, told_by, severity, state, subject, words, content, due_at, last_problem)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
    " on conflict on constraint alert_once_per_moment do nothing"
)


@dataclass(slots=True)
class Planning:
    """The plans of one batch, and the rows that they come to."""

    desk: Desk
    next_step: NextStep
    now: datetime
    inserts: list[tuple[Any, ...]] = field(default_factory=list)
    gatherings: list[tuple[Any, ...]] = field(default_factory=list)
    drops: list[tuple[Any, ...]] = field(default_factory=list)
    graver: list[tuple[Any, ...]] = field(default_factory=list)

    def plan(self, row: Row) -> None:
        """Plan one moment for every channel that may hear of it."""
        for channel in self.desk.channels_for(row["tenant_id"], row["partner_id"]):
            knows = self.desk.knows(channel, row["incident_id"])
            severity = knows.severity if row["kind"] == "resolved" else _severity(row)
            ruling = rule(
                Happening(row["kind"], severity, self.now, row["snoozed_until"]),
                Reader(channel.least_severity, self._room(channel, knows, row), knows.known),
            )
            if ruling.replaces_unsent:
                self._drop(channel, row["incident_id"], knows)
            if ruling.fate is not Fate.NOTHING:
                self._add(row, channel, knows, severity, ruling)

    async def write(self, session: Session) -> None:
        """Write what was planned: rows that gather first, then those that they tell."""
        await session.execute_many(_INSERT, self.gatherings)
        await session.execute_many(_INSERT, self.inserts)
        # After the inserts: what was planned in this batch may have given way within it.
        await session.execute_many(_DROP, self.drops)
        await session.execute_many(_GRAVER, self.graver)

    def _room(self, channel: ChannelRules, knows: Knowledge, row: Row) -> int:
        """Give the channel's room; joining what gathers already takes none."""
        if channel.partner_id is not None:
            gathering = self.desk.gatherings.get((channel.id, _gathers(row)))
            if gathering is not None and gathering.is_open:
                return 1
        return self.desk.room(channel) + (knows.known == "unsent" and knows.has_room)

    def _drop(self, channel: ChannelRules, incident_id: Id, knows: Knowledge) -> None:
        words = "What happened next says more."
        self.drops.append((knows.tenant_id, knows.alert_id, words))
        self.desk.knowledge[channel.id, incident_id] = Knowledge()
        if knows.has_room:
            self.desk.take_room(channel, -1)

    def _add(
        self, row: Row, channel: ChannelRules, knows: Knowledge, severity: int, ruling: Ruling
    ) -> None:
        alert_id = new_id()
        thread_id = knows.thread_id or alert_id
        if ruling.replaces_unsent and knows.thread_id == knows.alert_id:
            thread_id = alert_id
        teller = self._teller(row, channel, severity, ruling.fate)
        is_alone = ruling.fate is Fate.TELL and teller is None
        if is_alone and not is_critical(severity):
            self.desk.take_room(channel)
        content = content_of(
            affected_of(row, self.next_step),
            news=row["news"] if row["kind"] in _NEWS else "",
            note=self._note(channel) if is_alone else "",
        )
        said = worded(row["kind"], content, self.now)
        self.inserts.append(
            (
                *(row["tenant_id"], alert_id, channel.partner_id, channel.id, row["incident_id"]),
                *(row["moment_id"], thread_id, row["kind"], "", teller.id if teller else None),
                *(severity, _state(ruling.fate, teller), said.subject, said.text),
                *(written(content) if is_alone else None, self.now, ruling.reason),
            )
        )
        if ruling.fate is not Fate.UNNEEDED:
            self.desk.knowledge[channel.id, row["incident_id"]] = Knowledge(
                known=_known_after(row["kind"], ruling.fate),
                tenant_id=row["tenant_id"],
                alert_id=alert_id,
                thread_id=thread_id,
                severity=severity,
                has_room=is_alone and not is_critical(severity),
            )

    def _note(self, channel: ChannelRules) -> str:
        """Tell with the last alert of the hour what becomes of the next ones."""
        if self.desk.room(channel) > 0:
            return ""
        wait = lasting(timedelta(seconds=channel.digest_every_s))
        most = channel.most_per_hour
        return (
            f"This is the last of at most {most:,} alerts an hour. Further ones come together,"
            f" {wait} after the first of them; what is critical still comes at once."
        )

    def _teller(
        self, row: Row, channel: ChannelRules, severity: int, fate: Fate
    ) -> Gathering | None:
        """Give the row that tells this moment together with others; None when it is told alone."""
        if fate is Fate.DIGEST:
            return self._gather(channel, "digest", row, severity, channel.digest_every_s)
        if fate is Fate.TELL and channel.partner_id is not None:
            return self._gather(channel, _gathers(row), row, severity, self._wait_s(channel, row))
        return None

    def _wait_s(self, channel: ChannelRules, row: Row) -> float:
        """Wait for the same cause elsewhere: shortly at first, longer once people know of it."""
        last = self.desk.gatherings.get((channel.id, _gathers(row)))
        if last is None:
            return GATHER_S
        second_s = SECOND_CRITICAL_S if is_critical(_severity(row)) else SECOND_S
        left_s = second_s - (self.now - last.created_at).total_seconds()
        return max(GATHER_S, left_s)

    def _gather(
        self, channel: ChannelRules, gathers: str, row: Row, severity: int, wait_s: float
    ) -> Gathering:
        due_at = self.now + timedelta(seconds=wait_s)
        known = self.desk.gatherings.get((channel.id, gathers))
        if known is not None and known.is_open:
            # A digest keeps its time; a cause that turns out critical is told soon.
            soonest = due_at if is_critical(severity) and gathers != "digest" else None
            self.graver.append((known.tenant_id, known.id, severity, soonest))
            return known
        made = self._begin_gathering(channel, gathers)
        kind = "digest" if gathers == "digest" else row["kind"]
        if kind != "digest" and not is_critical(severity):
            self.desk.take_room(channel)
        self.gatherings.append(
            (
                *(made.tenant_id, made.id, channel.partner_id, channel.id, None, None),
                *(made.thread_id, kind, gathers, None, severity, "pending", "", "", None),
                *(due_at, ""),
            )
        )
        return made

    def _begin_gathering(self, channel: ChannelRules, gathers: str) -> Gathering:
        gathering_id = new_id()
        cause = gathers.partition(":")[0]
        thread = None if gathers == "digest" else self.desk.thread_of_cause(channel, cause)
        made = Gathering(
            channel.tenant_id or NIL, gathering_id, thread or gathering_id, self.now, is_open=True
        )
        self.desk.gatherings[channel.id, gathers] = made
        return made


def _gathers(row: Row) -> str:
    """Name what belongs together: the same thing happening to the same cause."""
    return f"{row['fingerprint'].hex()}:{row['kind']}"


def _severity(row: Row) -> int:
    """Give the severity at that moment, which may have passed meanwhile."""
    detail = json.loads(row["detail"])
    found = detail.get("severity") if isinstance(detail, dict) else None
    known: int = row["severity"]
    return found if isinstance(found, int) and 0 <= found <= CRITICAL else known


def _state(fate: Fate, teller: Gathering | None) -> str:
    if fate is Fate.TELL:
        return "joined" if teller else "pending"
    return "digested" if fate is Fate.DIGEST else "unneeded"


def _known_after(kind: str, fate: Fate) -> Known:
    if kind == "resolved":
        return "nothing"
    return "unsent" if fate is Fate.TELL else "in_digest"
