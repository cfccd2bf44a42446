"""How the tests read till files: through the connector, as the engine does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from itertools import cycle
from pathlib import Path

from connectors.canonical.event import Event
from connectors.canonical.order import Order
from connectors.registry import load
from connectors.sdk.message import FileRecord, HoldRecord, JsonObject, RawMessage, Reading

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
FIXTURES = Path(__file__).parents[3] / "connectors" / "catalog" / "pos_files" / "fixtures"
POSLOG: JsonObject = {
    "dialect": "poslog_ncr",
    "timezone": "America/New_York",
    "currency": "USD",
}
TLOG: JsonObject = {"dialect": "tlog_csv", "timezone": "Europe/London", "currency": "GBP"}
RECEIVED_AT = datetime(2026, 3, 8, tzinfo=UTC)


class Chunked(BytesIO):
    """A file that gives its bytes in pieces of these sizes, over and over."""

    def __init__(self, content: bytes, sizes: Sequence[int]) -> None:
        super().__init__(content)
        self._sizes = cycle(sizes)

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(next(self._sizes))


@dataclass(frozen=True)
class Outcomes:
    """What became of each record of a file, by key, in file order."""

    records: list[FileRecord]
    events: dict[str, Event]
    skipped: dict[str, str]
    held: dict[str, HoldRecord]

    def orders(self) -> list[Order]:
        return [event.body for event in self.events.values() if isinstance(event.body, Order)]


def split(content: bytes, settings: JsonObject, name: str = "till.dat") -> list[FileRecord]:
    return list(load("pos_files").split(name, BytesIO(content), settings))


def read(record: FileRecord, settings: JsonObject) -> Reading:
    message = RawMessage(
        record.topic, record.body, RECEIVED_AT, position=record.position, settings=settings
    )
    return load("pos_files").read(message)


def outcomes(content: bytes, settings: JsonObject) -> Outcomes:
    found = Outcomes(split(content, settings), {}, {}, {})
    for record in found.records:
        assert content[record.position.byte :].startswith(record.body)
        if record.problem is not None:
            found.held[record.key] = record.problem
            continue
        try:
            reading = read(record, settings)
        except HoldRecord as held:
            found.held[record.key] = held
            continue
        if reading.skipped is None:
            (found.events[record.key],) = reading.events
        else:
            found.skipped[record.key] = reading.skipped
    return found
