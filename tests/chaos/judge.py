"""The judge: compares what clients were promised with what the target did; believes nobody else.

Takes only the clients' own log and the target's own log. An event is known by its lane and version,
which clients choose; keys and ids of ours play no part but for counting repeats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.catalog.http.emulator.book import Entry, lanes
from tests.chaos.told import Told

NANOSECONDS = 1_000_000_000
DONE = 200

EventName = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What went wrong, by kind; empty everywhere is what we promise.

    lost:      accepted, and never done
    invented:  done, and never sent
    doubled:   done more than once
    inverted:  done after a later version of the same lane
    changed:   a known key came with another body
    """

    lost: tuple[EventName, ...] = ()
    invented: tuple[EventName, ...] = ()
    doubled: tuple[EventName, ...] = ()
    inverted: tuple[EventName, ...] = ()
    changed: tuple[EventName, ...] = ()

    def counts(self) -> dict[str, int]:
        """Give the number of findings by kind."""
        return {name: len(getattr(self, name)) for name in self.__dataclass_fields__}

    def is_clean(self) -> bool:
        """Say whether nothing was found."""
        return not any(self.counts().values())


def judge(told: Iterable[Told], entries: Sequence[Entry]) -> Verdict:
    """Find every broken promise in the two logs."""
    sent, acked = set[EventName](), set[EventName]()
    for line in told:
        (acked if line.what == "acked" else sent).add((line.lane, line.version))
    done = Counter(name_of(entry) for entry in entries if entry.is_effect)
    return Verdict(
        lost=tuple(sorted(acked - done.keys())),
        invented=tuple(sorted(done.keys() - sent)),
        doubled=tuple(sorted(name for name, count in done.items() if count > 1)),
        inverted=tuple(_inverted(entries)),
        changed=tuple(name_of(entry) for entry in entries if entry.differs),
    )


def name_of(entry: Entry) -> EventName:
    """Name the event behind a request: the lane without the kind of its key, and the version."""
    return entry.lane.rpartition(":")[2], int(entry.version or 0)


def _inverted(entries: Iterable[Entry]) -> list[EventName]:
    found = []
    for of_lane in lanes(entries).values():
        highest = 0
        for entry in of_lane:
            name = name_of(entry)
            if name[1] < highest:
                found.append(name)
            highest = max(highest, name[1])
    return found


@dataclass(frozen=True, slots=True)
class Repeats:
    """Requests for what was already done although its answer had left: the price of the kills.

    `waits_s` are the seconds from the answer that nobody settled to the repeat by the next worker.
    """

    count: int
    effects: int
    waits_s: tuple[float, ...]

    @property
    def share_0_1(self) -> float:
        """Give repeats as a share of effects."""
        return self.count / self.effects if self.effects else 0.0


def repeats(entries: Iterable[Entry]) -> Repeats:
    """Count repeats that the target's own troubles do not explain."""
    answered: dict[str, Entry] = {}
    waits_s: list[float] = []
    effects = 0
    for entry in entries:
        effects += entry.is_effect
        before = answered.get(entry.key)
        if before is not None:
            waits_s.append((entry.at_ns - before.at_ns) / NANOSECONDS)
        if entry.seen == "answered" and entry.status == DONE:
            answered[entry.key] = entry
    return Repeats(len(waits_s), effects, tuple(waits_s))


def percentile(values: Sequence[float], share_0_1: float) -> float:
    """Give the value below which this share of values lies; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share_0_1))] if ordered else 0.0
