"""What the recording target was told: one entry per request, one effect per key, a log for judges.

The log is JSON lines in order of arrival; `read_log` reads it back, and the judges below say what
went wrong without knowing who wrote it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from io import BufferedWriter
from pathlib import Path
from typing import Literal

import msgspec

# What the caller saw: an HTTP status, an answer that never left, or silence.
Seen = Literal["answered", "lost", "hung"]


class Entry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One request as it was taken.

    `n` counts requests from 1. `at_ns` is the wall clock in nanoseconds since 1970. `key` is the
    idempotency key ("" when there was none), `lane` the CloudEvents subject, `event_id` its id.
    `try_number` counts requests of this key from 1. `is_effect` says that something was done now;
    `differs` that a known key came with another body.
    """

    n: int
    at_ns: int
    key: str
    lane: str
    type: str
    event_id: str
    version: str
    try_number: int
    status: int
    seen: Seen
    is_effect: bool
    differs: bool = False


class Book:
    """Remembers effects by key, and writes entries to memory, to a log file, or to both.

    A run of millions keeps its entries in the log only (`keeps_entries=False`).
    """

    def __init__(self, log: Path | None = None, *, keeps_entries: bool = True) -> None:
        self.entries: list[Entry] = []
        self.effects: dict[str, int] = {}
        self.counts: Counter[str] = Counter()
        self.request_count = 0
        self._tries: dict[str, int] = {}
        self._bodies: dict[str, int] = {}
        self._keeps_entries = keeps_entries
        self._file: BufferedWriter | None = log.open("ab") if log is not None else None
        self._encoder = msgspec.json.Encoder()
        self._unwritten: list[Entry] = []

    def next_try(self, key: str) -> int:
        """Count one more request of a key, from 1; requests without a key are always the first."""
        if not key:
            return 1
        number = self._tries.get(key, 0) + 1
        self._tries[key] = number
        return number

    def is_new(self, key: str) -> bool:
        """Say whether nothing was done under this key yet; without a key everything is new."""
        return not key or key not in self.effects

    def differs(self, key: str, body: bytes) -> bool:
        """Say whether a known key now comes with another body than at first."""
        if not key:
            return False
        content = hash(body)
        return self._bodies.setdefault(key, content) != content

    def write(self, entry: Entry) -> None:
        """Book one request; an effect is counted under its key."""
        self.request_count = entry.n
        self.counts[entry.seen if entry.seen != "answered" else str(entry.status)] += 1
        if entry.is_effect:
            self.effects[entry.key] = self.effects.get(entry.key, 0) + 1
        if self._keeps_entries:
            self.entries.append(entry)
        if self._file is not None:
            self._unwritten.append(entry)

    def flush(self) -> None:
        """Bring waiting entries to the log file."""
        if self._file is not None and self._unwritten:
            self._file.write(self._encoder.encode_lines(self._unwritten))
            self._file.flush()
            self._unwritten.clear()

    def close(self) -> None:
        """Finish the log."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None


def read_log(path: Path) -> Iterator[Entry]:
    """Read a log entry by entry in order of arrival; a last line cut by a crash is left out."""
    decoder = msgspec.json.Decoder(Entry)
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield decoder.decode(line)


def effects_by_key(entries: Iterable[Entry]) -> dict[str, int]:
    """Count effects per idempotency key; every number but 1 is a fault of somebody."""
    return dict(Counter(entry.key for entry in entries if entry.is_effect))


def doubled_events(entries: Iterable[Entry]) -> dict[str, int]:
    """Find CloudEvents ids whose effect happened more than once, whatever keys they came with."""
    counted = Counter(entry.event_id for entry in entries if entry.is_effect)
    return {event_id: count for event_id, count in counted.items() if count > 1}


def lanes(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Give the effects of every lane in the order in which they happened."""
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.is_effect:
            found[entry.lane].append(entry)
    return dict(found)


def counts_by_answer(entries: Iterable[Entry]) -> dict[str, int]:
    """Count requests by what the caller saw: a status, `lost` or `hung`."""
    return dict(Counter(e.seen if e.seen != "answered" else str(e.status) for e in entries))
