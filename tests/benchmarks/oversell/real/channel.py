"""An emulated channel: shows stock, sells what it shows, and writes down both; another system than ours.

It takes quantities as signed CloudEvents, within the limits of its vendor, and sells against its own
counter, as marketplaces do. Its log is all that a judge may read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BufferedWriter
from pathlib import Path
from typing import Any

import msgspec

from connectors.catalog.http.emulator import Target
from connectors.catalog.http.emulator.target import Reply

MILLISECONDS_NS = 1_000_000


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a channel's or a till's log; `at_ns` is its wall clock, nanoseconds since 1970.

    kind: `shown` (a quantity was taken: `units` of `sku`, the source's version `seq`), `sold`,
    `refused` (a customer wanted what was not shown), `throttled` (429), `old` (a quantity that is
    older than what is shown: somebody has two paths), `conflict` (compare-and-set failed).
    """

    kind: str
    at_ns: int
    sku: str = ""
    units: int = 0
    seq: int = 0
    order: str = ""


class Log:
    """Lines of JSON, flushed one by one: they survive whatever happens to the others."""

    def __init__(self, path: Path | None = None) -> None:
        self.lines: list[Line] = []
        self._file: BufferedWriter | None = path.open("ab") if path is not None else None

    def write(self, line: Line) -> None:
        """Write one line."""
        self.lines.append(line)
        if self._file is not None:
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_lines(path: Path) -> list[Line]:
    """Read a log back in the order in which it was written."""
    decoder = msgspec.json.Decoder(Line)
    with path.open("rb") as file:
        return [decoder.decode(line) for line in file if line.endswith(b"\n")]


@dataclass(slots=True)
class Channel(Target):
    """A channel behind the recording target's front: signatures, faults, limits and keys are its.

    `shown` is what customers see, by SKU. SKUs in `unlisted` are refused (422).
    """

    shown: dict[str, int] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    log: Log = field(default_factory=Log)
    landed: dict[str, int] = field(default_factory=dict)

    def take(self, headers: dict[str, str], body: bytes) -> Reply:
        """Take one quantity: shown at once, unless it is refused or was taken before."""
        told: dict[str, Any] = msgspec.json.decode(body)
        sku, seq = told["data"]["sku"], int(told["objectversion"])
        if sku in self.unlisted:
            return _UNLISTED
        known = len(self.book.effects)
        reply = Target.take(self, headers, body)
        if reply.status == 429:
            self.note("throttled", sku, seq=seq)
        elif len(self.book.effects) > known:
            self._show(sku, int(told["data"]["available"]), seq)
        return reply

    def buy(self, sku: str, order: str) -> bool:
        """Sell one unit if it is shown; the counter goes down at once."""
        if self.shown.get(sku, 0) <= 0:
            self.note("refused", sku, order=order)
            return False
        self.shown[sku] -= 1
        self.note("sold", sku, units=1, order=order)
        return True

    def note(self, kind: str, sku: str, *, units: int = 0, seq: int = 0, order: str = "") -> None:
        """Write one line of the log."""
        self.log.write(Line(kind, self.clock_ns(), sku, units, seq, order))

    def _show(self, sku: str, units: int, seq: int) -> None:
        if seq < self.landed.get(sku, 0):
            self.note("old", sku, units=units, seq=seq)
        self.landed[sku] = max(seq, self.landed.get(sku, 0))
        self.shown[sku] = units
        self.note("shown", sku, units=units, seq=seq)


_UNLISTED = Reply(422, b'{"title":"Not listed.","errors":[{"pointer":"/data/sku"}]}')
