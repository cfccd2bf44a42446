"""What has to change at one place so that it charges what was decided; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from infra.ids import Id


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall hold from a moment on (UTC); `is_end` says that a version ends instead."""

    begins_at: datetime
    version_id: Id
    is_end: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is in the book for a moment: `is_told` when the place may know of it.

    `is_unsaid`: it was told, should not have been, and a person was asked to take it out there.
    """

    id: Id
    begins_at: datetime
    version_id: Id
    is_end: bool
    is_told: bool
    is_withdrawn: bool = False
    is_unsaid: bool = False

    def is_same(self, wanted: Wanted) -> bool:
        """Say whether this is what is wanted, whenever it began."""
        same = (self.version_id, self.is_end) == (wanted.version_id, wanted.is_end)
        return same and not (self.is_withdrawn or self.is_unsaid)


@dataclass(frozen=True, slots=True)
class Begin:
    """Plan something for a moment for which nothing is in the book."""

    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Replace:
    """Plan something else for a moment that is in the book; the place is told again."""

    known: Known
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Drop what no place was told yet."""

    known: Known


@dataclass(frozen=True, slots=True)
class Unsay:
    """What a place was told ahead, and nothing takes its place: a person takes it out there."""

    known: Known


Change = Begin | Replace | Withdraw | Unsay


def decide(known: Sequence[Known], wanted: Sequence[Wanted], now: datetime) -> list[Change]:
    """Give what to change; nothing when the book says already what is wanted.

    Takes:  everything in the book for one place and series; what shall hold, oldest first, each
            until the next.
    Rules:  what began before now counts only as what holds now; history is not told. What holds
            wrongly now is put right by something that begins now.
    """
    by_moment = {each.begins_at: each for each in known}
    past = [each for each in wanted if each.begins_at <= now]
    future = [each for each in wanted if each.begins_at > now]
    changes = [*_present(by_moment, past[-1], now)] if past else []
    for each in future:
        there = by_moment.get(each.begins_at)
        if there is None:
            changes.append(Begin(each))
        elif not there.is_same(each):
            changes.append(Replace(there, each))
    return [*changes, *_obsolete(known, wanted, now)]


def _present(by_moment: dict[datetime, Known], wanted: Wanted, now: datetime) -> Iterator[Change]:
    begun = [each for each in by_moment.values() if each.begins_at <= now and not each.is_withdrawn]
    last = max(begun, key=lambda each: each.begins_at, default=None)
    if last is not None and last.is_same(wanted):
        return
    there = by_moment.get(wanted.begins_at)
    if last is not None and wanted.begins_at < last.begins_at:
        at_once = Wanted(now, wanted.version_id, wanted.is_end)
        yield Replace(by_moment[now], at_once) if now in by_moment else Begin(at_once)
    elif there is not None:
        yield Replace(there, wanted)
    else:
        yield Begin(wanted)


def _obsolete(known: Sequence[Known], wanted: Sequence[Wanted], now: datetime) -> Iterator[Change]:
    moments = {each.begins_at for each in wanted}
    for each in known:
        if each.begins_at <= now or each.begins_at in moments or each.is_withdrawn:
            continue
        if not each.is_told:
            yield Withdraw(each)
            continue
        holding = [one for one in wanted if one.begins_at < each.begins_at]
        if not holding and not each.is_unsaid:
            yield Unsay(each)
        elif holding and not each.is_same(holding[-1]):
            yield Replace(each, Wanted(each.begins_at, holding[-1].version_id, holding[-1].is_end))
