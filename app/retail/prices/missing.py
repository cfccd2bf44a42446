"""Who does not have what begins: the sentence that a shop manager needs, and whom to call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.connections.tenant import acting_tenant
from app.retail.breaks import Seen, close_breaks, list_breaks, see_breaks
from app.retail.prices.book import SubjectName
from app.retail.prices.targets import Target, named, read_targets
from infra.database.unit import Row, Session
from infra.ids import Id

# F03: acknowledged half an hour before it begins; where it is told at the moment, a minute after.
KNOWN_BEFORE = timedelta(minutes=30)
BEGUN_AFTER = timedelta(minutes=1)
# F46: all within five minutes, or named.
STOPPED_WITHIN = timedelta(minutes=5)
LOOKED_BACK = timedelta(days=2)
KINDS: dict[SubjectName, str] = {
    "price": "price_not_everywhere",
    "promotion": "promotion_not_everywhere",
    "product": "recall_not_everywhere",
}

# All places of everything that some place lacks. What began before it was known is due since then.
_LACKING = """
select a.version_id, a.subject, a.item, a.is_end, a.target_id, a.state, a.planned_at,
    greatest(a.begins_at, a.planned_at) as begins_at
from price_activation a
where a.tenant_id = $1 and a.state <> 'withdrawn' and (a.version_id, a.is_end) in (
    select version_id, is_end from price_activation
    where tenant_id = $1 and state in ('planned', 'sent', 'failed')
        and greatest(begins_at, planned_at) between $2 and $3)
    and (a.ends_at is null or a.ends_at > $4)
"""


@dataclass(frozen=True, slots=True)
class Lack:
    """What begins or began, and which of its places do not have it."""

    subject: SubjectName
    item: str
    version_id: Id
    is_end: bool
    begins_at: datetime
    lacking: tuple[Target, ...]
    places: int

    def words(self, now: datetime) -> str:
        """Say it: how many of how many, what they do instead, since when, which."""
        return _WORDS[self.subject](self, now)

    @property
    def key(self) -> str:
        """Name it among the breaks."""
        return f"{self.version_id}{'/end' if self.is_end else ''}"

    @property
    def clock(self) -> str:
        """Give when it begins on the wall of the first place that lacks it."""
        return f"{self.begins_at.astimezone(ZoneInfo(self.lacking[0].zone)):%H:%M}"


async def tell_missing(session: Session, now: datetime) -> list[Lack]:
    """Write down who lacks what as breaks, and close those of places that have it now."""
    tenant_id = acting_tenant(session)
    lacks = await find_missing(session, now)
    await see_breaks(
        session,
        tenant_id,
        [Seen(KINDS[each.subject], each.key, each.words(now)) for each in lacks],
    )
    for subject, kind in KINDS.items():
        still = {each.key for each in lacks if each.subject == subject}
        known = await list_breaks(session, tenant_id, kind=kind)
        gone = [each.key for each in known if each.key not in still]
        if gone:
            await close_breaks(session, tenant_id, kind, gone, "All places have it, or it is over.")
    return lacks


async def find_missing(session: Session, now: datetime) -> list[Lack]:
    """Find what some places lack although it is time; the oldest first."""
    targets = {each.id: each for each in await read_targets(session)}
    rows = await session.fetch(
        _LACKING, acting_tenant(session), now - LOOKED_BACK, now + KNOWN_BEFORE, now
    )
    groups: defaultdict[tuple[Id, bool], list[Row]] = defaultdict(list)
    for row in rows:
        if row["target_id"] in targets:
            groups[row["version_id"], row["is_end"]].append(row)
    found = [lack for group in groups.values() for lack in _lacks(group, targets, now)]
    return sorted(found, key=lambda each: (each.begins_at, each.key))


def _lacks(rows: Sequence[Row], targets: dict[Id, Target], now: datetime) -> Iterator[Lack]:
    late = [row for row in rows if _is_late(row, targets[row["target_id"]], now)]
    if not late:
        return
    first = min(late, key=lambda row: (row["begins_at"], row["target_id"]))
    places = {row["target_id"] for row in rows}
    lacking = {row["target_id"] for row in late}
    # In the order in which the places are read: by the number of the store.
    ordered = tuple(target for target in targets.values() if target.id in lacking)
    yield Lack(
        first["subject"],
        first["item"],
        first["version_id"],
        first["is_end"],
        first["begins_at"],
        ordered,
        len(places),
    )


def _is_late(row: Row, target: Target, now: datetime) -> bool:
    if row["state"] not in {"planned", "sent", "failed"}:
        return False
    if row["subject"] == "product":
        return bool(now >= row["planned_at"] + STOPPED_WITHIN or row["state"] == "failed")
    if row["state"] == "failed":
        return bool(now >= row["begins_at"] - KNOWN_BEFORE)
    if target.schedules_ahead:
        # What came late is given the time to be told.
        sooner = max(row["begins_at"] - KNOWN_BEFORE, row["planned_at"] + BEGUN_AFTER)
        return bool(now >= sooner)
    return bool(now >= max(row["begins_at"], row["planned_at"]) + BEGUN_AFTER)


def _price_words(lack: Lack, now: datetime) -> str:
    kind = "stores" if all(each.kind == "store" for each in lack.lacking) else "places"
    who = f"{len(lack.lacking)} of {lack.places} {kind}"
    if now < lack.begins_at:
        did = f"will sell {lack.item} at yesterday's price at {lack.clock}"
    else:
        did = f"sell {lack.item} at yesterday's price since {lack.clock}"
    return f"{who} {did}: {named(lack.lacking)}."


def _promotion_words(lack: Lack, now: datetime) -> str:
    what = "have not ended" if lack.is_end else "have not begun"
    when = "is due" if now < lack.begins_at else "was due"
    who = f"{len(lack.lacking)} of {lack.places} places {what} promotion {lack.item}"
    return f"{who}, which {when} at {lack.clock}: {named(lack.lacking)}."


def _recall_words(lack: Lack, _now: datetime) -> str:
    what = "do not know that it may be sold again" if lack.is_end else "have not stopped selling it"
    called = [f"{each.title}{f' ({each.phone})' if each.phone else ''}" for each in lack.lacking]
    return (
        f"Recall of {lack.item}: {len(lack.lacking)} of {lack.places} places {what}. Call them now:"
        f" {', '.join(called)}."
    )


_WORDS = {"price": _price_words, "promotion": _promotion_words, "product": _recall_words}
