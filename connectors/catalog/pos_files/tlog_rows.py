"""Rows of a T-log CSV, resynchronised at every line: a damaged row damages only itself."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.catalog.pos_files.tlog_layout import Layout
from connectors.catalog.pos_files.window import Window

MAX_FIELD_CHARACTERS = 131_072
_MAX_LINE_BYTES = 1_048_576
_MAX_ROW_LINES = 32  # lines that one quoted field may span
_LINE_END = re.compile(rb"\r\n|\n|\r")
_MAX_NUMBER_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its fields, or (`flaw`) the code of what is wrong with it.

    `number` is the ticket number in its first column, None when that cannot be read.
    """

    raw: bytes
    byte: int
    line: int
    fields: tuple[str, ...]
    flaw: str
    number: str | None


@dataclass(frozen=True, slots=True)
class _PhysicalLine:
    raw: bytes
    byte: int
    line: int
    text: str
    flaw: str


class _Lines:
    """Physical lines with look-ahead; blank ones are left out."""

    def __init__(self, window: Window, encoding: str) -> None:
        self._window = window
        self._encoding = encoding
        self._ahead: deque[_PhysicalLine] = deque()

    def peek(self, ahead: int) -> _PhysicalLine | None:
        while len(self._ahead) <= ahead:
            line = self._read()
            if line is None:
                return None
            if line.raw.strip(b"\r\n") or line.flaw:
                self._ahead.append(line)
        return self._ahead[ahead]

    def drop(self, count: int) -> None:
        for _ in range(count):
            self._ahead.popleft()

    def _read(self) -> _PhysicalLine | None:
        byte, line = self._window.byte, self._window.line
        raw, is_too_long = _take_line(self._window)
        if not raw:
            return None
        content = raw.rstrip(b"\r\n")
        flaw = "csv.field_too_long" if is_too_long else "text.nul" if b"\0" in raw else ""
        text = content.decode(self._encoding, "replace")
        if (
            not flaw
            and "\N{REPLACEMENT CHARACTER}" in text
            and not _decodes(content, self._encoding)
        ):
            flaw = "file.encoding"
        return _PhysicalLine(raw, byte, line, text, flaw)


def rows(window: Window, layout: Layout, encoding: str) -> Iterator[Row]:
    """Give the rows from here to the end of the file, in order.

    A quoted field may span lines when it closes properly. An open quote is given up at the first
    line that is a whole row by itself; reading goes on with the line after the opening.
    """
    lines = _Lines(window, encoding)
    while (first := lines.peek(0)) is not None:
        row, used = _row(first, lines, layout)
        lines.drop(used)
        yield row


def _row(first: _PhysicalLine, lines: _Lines, layout: Layout) -> tuple[Row, int]:
    fields, flaw = _parse(first, layout)
    if flaw != "csv.quote":
        return _made(first, first.raw, fields, flaw, layout), 1
    joined, raw = first.text, first.raw
    for ahead in range(1, _MAX_ROW_LINES):
        following = lines.peek(ahead)
        if following is None or not _parse(following, layout)[1]:
            break
        joined += _line_end(raw) + following.text
        raw += following.raw
        fields, joined_flaw = _fields(joined, layout)
        if not joined_flaw:
            return _made(first, raw, fields, "", layout), ahead + 1
        if joined_flaw != "csv.quote" or len(joined) > MAX_FIELD_CHARACTERS:
            break
    return _made(first, first.raw, (), "csv.quote", layout), 1


def _parse(line: _PhysicalLine, layout: Layout) -> tuple[tuple[str, ...], str]:
    return ((), line.flaw) if line.flaw else _fields(line.text, layout)


def _fields(text: str, layout: Layout) -> tuple[tuple[str, ...], str]:
    """Split a row; the code is `csv.quote`, `csv.field_too_long` or `csv.columns` when it fails."""
    fields: list[str]
    if '"' not in text:
        fields = text.split(layout.delimiter)
    else:
        try:
            parsed = list(csv.reader([text], delimiter=layout.delimiter, strict=True))
        except csv.Error as fault:
            return (), "csv.field_too_long" if "larger" in str(fault) else "csv.quote"
        fields = parsed[0] if len(parsed) == 1 else []
    if any(len(field) > MAX_FIELD_CHARACTERS for field in fields):
        return (), "csv.field_too_long"
    return (tuple(fields), "") if len(fields) == len(layout.header) else ((), "csv.columns")


def _made(
    first: _PhysicalLine, raw: bytes, fields: tuple[str, ...], flaw: str, layout: Layout
) -> Row:
    number = _leading_number(first.text, layout) if flaw else layout.text(fields, "invoice")
    flaw = flaw or ("" if number else "ticket.number_missing")
    return Row(raw, first.byte, first.line, fields, flaw, number or None)


def _leading_number(text: str, layout: Layout) -> str | None:
    """Read the ticket number of a damaged row, if it stands first and its field is closed."""
    if layout.places["invoice"] != 0:
        return None
    number, delimiter, _ = text.partition(layout.delimiter)
    number = number.strip().strip('"').strip()
    is_readable = number.isprintable() and 0 < len(number) <= _MAX_NUMBER_CHARACTERS
    return number if delimiter and is_readable and '"' not in number else None


def _take_line(window: Window) -> tuple[bytes, bool]:
    """Take one line with its end; of one that is too long only the beginning is kept."""
    at, head, is_too_long = 0, b"", False
    while True:
        found = _LINE_END.search(window.data, at)
        if found is not None and (found[0] != b"\r" or found.end() < len(window.data)):
            is_too_long = is_too_long or found.start() > _MAX_LINE_BYTES
            taken = window.take(found.end())
            return head or taken, is_too_long
        at = found.start() if found is not None else len(window.data)
        if at > _MAX_LINE_BYTES:
            head = head or bytes(window.data[:MAX_FIELD_CHARACTERS])
            window.take(at)
            at, is_too_long = 0, True
        if not window.load():
            taken = window.take(len(window.data))
            return head or taken, is_too_long


def _line_end(raw: bytes) -> str:
    end = _LINE_END.search(raw, len(raw.rstrip(b"\r\n")))
    return end[0].decode("ascii") if end else ""


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
