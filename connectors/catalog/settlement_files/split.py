"""A file of settlement reports as records, one for each settlement: booked whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from connectors.catalog.settlement_files.encoding import codec_name, decoded
from connectors.catalog.settlement_files.layout import layout_of
from connectors.sdk.message import FileRecord, HoldRecord, JsonObject, Position

TOPIC = "settlement"
# A settlement of two weeks with 200,000 lines; what is larger is no settlement.
MAX_SETTLEMENT_BYTES = 50_331_648
MAX_LINE_BYTES = 65_536
_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class _Gathered:
    """The lines of one settlement so far; beyond the limit only their size is kept."""

    settlement: bytes
    line: int
    byte: int
    lines: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, raw: bytes) -> None:
        """Take one more line."""
        self.size += len(raw)
        if self.size <= MAX_SETTLEMENT_BYTES:
            self.lines.append(raw)


def split_settlements(name: str, file: BinaryIO, settings: JsonObject) -> Iterator[FileRecord]:
    """Cut a file into settlements, streaming; calling twice gives the same records.

    Gives:  one record for each settlement in file order: the header line and its lines, raw, keyed
            `account/settlement-id`.
    Rules:  lines of one settlement stand together; one that goes on after another began is torn.
    Memory: one settlement.
    Raises: HoldRecord when the file is no settlement report, before any record.
    """
    encoding = codec_name(settings)
    first = file.readline(MAX_LINE_BYTES)
    header = first.removeprefix(_BOM)
    at = layout_of(decoded(header, encoding, 1)).columns.index("settlement-id")
    account = str(settings.get("account") or "").replace("/", "%2F")
    seen: set[bytes] = set()
    for number, gathered in enumerate(_gather(file, at, len(first)), start=1):
        named = gathered.settlement.decode(encoding, "replace")
        problem = _problem(gathered, named, is_torn=gathered.settlement in seen)
        seen.add(gathered.settlement)
        yield FileRecord(
            topic=TOPIC,
            key=f"{account}/{named}" + (f"!{gathered.line}" if problem else ""),
            body=b"".join([header, *gathered.lines]),
            position=Position(name, number, gathered.line, gathered.byte),
            problem=problem,
        )


def _gather(file: BinaryIO, at: int, byte: int) -> Iterator[_Gathered]:
    current: _Gathered | None = None
    line = 1
    while raw := file.readline(MAX_LINE_BYTES):
        line += 1
        if raw.strip():
            fields = raw.rstrip(b"\r\n").split(b"\t", at + 1)
            settlement = fields[at].strip() if len(fields) > at else b""
            if current is None or settlement != current.settlement:
                if current is not None:
                    yield current
                current = _Gathered(settlement, line, byte)
            current.add(raw)
        byte += len(raw)
    if current is None:
        raise HoldRecord(
            "file.empty", "/", "The file has no settlement in it. Download the report again."
        )
    yield current


def _problem(gathered: _Gathered, named: str, *, is_torn: bool) -> HoldRecord | None:
    if gathered.size > MAX_SETTLEMENT_BYTES:
        size_mib = MAX_SETTLEMENT_BYTES // 1_048_576
        words = (
            f"Settlement {named} is larger than {size_mib} MB; only its beginning is kept. Ask the"
            " marketplace for shorter settlement periods."
        )
        return HoldRecord("settlement.too_large", "/settlement-id", words)
    if is_torn:
        words = (
            f"Lines of settlement {named} stand at two places of the file, so neither place has all of"
            " them. Download the report again and send it as it is."
        )
        return HoldRecord("settlement.torn", "/settlement-id", words)
    return None
