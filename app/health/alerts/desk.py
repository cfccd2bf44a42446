"""What the planner has before it: channels, what each knows, its room this hour, what is gathering."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.health.alerts.rules import Known
from app.health.alerts.severity import CRITICAL
from infra.database.unit import Row, Session
from infra.ids import Id

NIL = UUID(int=0)

_CHANNELS = (
    "select id, partner_id, tenant_id, least_severity, most_per_hour, digest_every_s"
    " from alert_channel where is_enabled and (tenant_id = any ($1) or partner_id = any ($2))"
    " order by id"
)
# Whoever sends one of these at this moment makes us wait, so that what is read next is settled.
_LOCK_UNSENT = (
    "select 1 from alert where channel_id = any ($1) and incident_id = any ($2)"
    " and state = 'pending' and tries = 0 order by tenant_id, id for update"
)
_KNOWN = (
    "select distinct on (a.channel_id, a.incident_id) a.channel_id, a.incident_id, a.tenant_id, a.id,"  # noqa: S608 - our own words
    " a.kind, a.state, a.tries, a.severity, a.thread_id, g.state as teller_state,"
    " g.content is null as is_teller_open from alert a"
    f" left join alert g on g.tenant_id in (a.tenant_id, '{NIL}') and g.id = a.told_by"
    " where a.channel_id = any ($1) and a.incident_id = any ($2) and a.state <> 'unneeded'"
    " order by a.channel_id, a.incident_id, a.id desc"
)
_TOLD_THIS_HOUR = (
    "select channel_id, count(*) as told from alert where channel_id = any ($1)"  # noqa: S608 - our own words
    f" and created_at > now() - interval '1 hour' and severity < {CRITICAL} and told_by is null"
    " and kind not in ('digest', 'test') and state in ('pending', 'sent', 'failed')"
    " group by channel_id"
)
# A thread about one cause is gone on with for a week.
_GATHERINGS = (
    "select distinct on (channel_id, gathers) channel_id, gathers, tenant_id, id, thread_id, severity,"
    " created_at, state = 'pending' and content is null as is_open from alert"
    " where channel_id = any ($1) and gathers <> '' and state <> 'unneeded'"
    " and created_at > now() - interval '7 days' order by channel_id, gathers, id desc"
)


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """A channel as the planner sees it; of a partner, or of one retailer."""

    id: Id
    partner_id: Id | None
    tenant_id: Id | None
    least_severity: int
    most_per_hour: int
    digest_every_s: int


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a channel knows of an incident: by which alert, in which thread, how grave it was."""

    known: Known = "nothing"
    tenant_id: Id | None = None
    alert_id: Id | None = None
    thread_id: Id | None = None
    severity: int = 0
    # An alert of its own that counts against the channel's hour; not one that joined others.
    has_room: bool = False


@dataclass(frozen=True, slots=True)
class Gathering:
    """A row that tells several alerts at once; open until its content is made."""

    tenant_id: Id
    id: Id
    thread_id: Id
    created_at: datetime
    is_open: bool


@dataclass(slots=True)
class Desk:
    """All of it, kept up to date while moments are planned one after another."""

    channels: tuple[ChannelRules, ...]
    knowledge: dict[tuple[Id, Id], Knowledge] = field(default_factory=dict)
    told: dict[Id, int] = field(default_factory=dict)
    gatherings: dict[tuple[Id, str], Gathering] = field(default_factory=dict)

    def channels_for(self, tenant_id: Id, partner_id: Id) -> list[ChannelRules]:
        """Give the channels that hear of a retailer."""
        return [
            each
            for each in self.channels
            if each.tenant_id == tenant_id or each.partner_id == partner_id
        ]

    def knows(self, channel: ChannelRules, incident_id: Id) -> Knowledge:
        """Give what a channel knows of an incident."""
        return self.knowledge.get((channel.id, incident_id), Knowledge())

    def room(self, channel: ChannelRules) -> int:
        """Give how many more alerts a channel may have within this hour."""
        return channel.most_per_hour - self.told.get(channel.id, 0)

    def take_room(self, channel: ChannelRules, count: int = 1) -> None:
        """Count an alert, or with -1 give its room back."""
        self.told[channel.id] = self.told.get(channel.id, 0) + count

    def thread_of_cause(self, channel: ChannelRules, cause: str) -> Id | None:
        """Give the thread in which a channel was last told of a cause."""
        found = [
            gathering
            for (channel_id, gathers), gathering in self.gatherings.items()
            if channel_id == channel.id and gathers.startswith(f"{cause}:")
        ]
        return max(found, key=lambda each: each.id.bytes).thread_id if found else None


async def read_desk(
    session: Session, tenant_ids: Iterable[Id], partner_ids: Iterable[Id], incident_ids: list[Id]
) -> Desk:
    """Read what planning about these incidents needs; what is unsent stays unsent until the commit."""
    rows = await session.fetch(_CHANNELS, list(set(tenant_ids)), list(set(partner_ids)))
    desk = Desk(tuple(ChannelRules(**dict(row)) for row in rows))
    ids = [each.id for each in desk.channels]
    if not ids:
        return desk
    await session.fetch(_LOCK_UNSENT, ids, incident_ids)
    for row in await session.fetch(_KNOWN, ids, incident_ids):
        desk.knowledge[row["channel_id"], row["incident_id"]] = _knowledge(row)
    for row in await session.fetch(_TOLD_THIS_HOUR, ids):
        desk.told[row["channel_id"]] = row["told"]
    for row in await session.fetch(_GATHERINGS, ids):
        desk.gatherings[row["channel_id"], row["gathers"]] = Gathering(
            row["tenant_id"], row["id"], row["thread_id"], row["created_at"], row["is_open"]
        )
    return desk


def _knowledge(row: Row) -> Knowledge:
    return Knowledge(
        known=_known(row),
        tenant_id=row["tenant_id"],
        alert_id=row["id"],
        thread_id=row["thread_id"],
        severity=row["severity"],
        has_room=row["state"] == "pending" and row["severity"] < CRITICAL,
    )


def _known(row: Row) -> Known:
    """Say what people know by the last alert; once they know the end, they know of nothing open."""
    if row["kind"] == "resolved":
        return "nothing"
    state = row["state"]
    if state == "pending":
        return "told" if row["tries"] else "unsent"
    if state in {"joined", "digested"} and row["is_teller_open"]:
        return "unsent" if state == "joined" else "in_digest"
    teller = row["teller_state"] or state
    return "told" if teller in {"pending", "sent"} else "nothing"
