"""Cutting a POSLog into transactions on bytes: a broken one never takes its neighbours along."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from connectors.catalog.pos_files.poslog_root import Root
from connectors.catalog.pos_files.window import Window, line_ends

MAX_RECORD_BYTES = 4 * 1_048_576  # a ticket of 1,000 lines with every NCR detail is about 1 MiB
KEPT_OF_TOO_LARGE_BYTES = 65_536
_MAX_SECTION_BYTES = 262_144  # a comment or CDATA section longer than this is taken as unclosed
_TAIL_BYTES = 128  # longer than any token below
_BETWEEN = re.compile(rb"\s+|<!--.*?-->|<\?.*?\?>|</?(?:[\w.-]+:)?POSLog(?:\s[^<>]*)?>", re.DOTALL)
# How a section ends, and what shows that it has ended or is broken.
_SECTIONS = {
    "comment": (b"-->", re.compile(rb"--")),
    "cdata": (b"]]>", re.compile(rb"\]\]>|<!\[CDATA\[")),
}
_ROOT_END = re.compile(rb"</(?:[\w.-]+:)?POSLog\s*>")

Flaw = Literal["", "unclosed", "stray", "incomplete", "too_large"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One transaction as it stood, or what is left of one (`flaw`)."""

    body: bytes
    byte: int
    line: int
    flaw: Flaw


@dataclass(frozen=True, slots=True)
class _Reached:
    """What lay before a boundary, and the boundary's tag, which is still in view."""

    kind: str
    before: bytes
    tag_bytes: int
    is_too_large: bool


def pieces(window: Window, root: Root) -> Iterator[Piece]:
    """Give every transaction between here and the end of the file, in order.

    A transaction ends with its end tag; without one it ends where the next begins, since they
    never nest. Anything else that stands between transactions is a piece too (`stray`).
    """
    boundary = _boundary(root)
    while True:
        byte, line = window.byte, window.line
        gap = _take_until(window, boundary, 0, {"start", "end"})
        body = gap.before + (window.take(gap.tag_bytes) if gap.kind == "end" else b"")
        if gap.kind == "end" or _BETWEEN.sub(b"", gap.before):
            yield _stray(body, byte, line, gap)
        elif gap.kind == "eof" and not _ROOT_END.search(gap.before):
            yield Piece(b"", window.byte, window.line, "incomplete")
        if gap.kind == "eof":
            return
        if gap.kind == "start":
            yield (piece := _transaction(window, boundary, gap.tag_bytes))
            if piece.flaw == "incomplete":
                return


def _transaction(window: Window, boundary: re.Pattern[bytes], tag_bytes: int) -> Piece:
    byte, line = window.byte, window.line
    reached = _take_until(window, boundary, tag_bytes, {"start", "end", "root"})
    body = reached.before
    if reached.kind == "end":
        body += window.take(reached.tag_bytes)
    flaws: dict[str, Flaw] = {"end": "", "start": "unclosed", "root": "unclosed"}
    flaw = flaws.get(reached.kind, "incomplete")
    if reached.is_too_large:
        return Piece(body[:KEPT_OF_TOO_LARGE_BYTES], byte, line, "too_large")
    return Piece(body, byte, line, flaw)


def _stray(body: bytes, byte: int, line: int, gap: _Reached) -> Piece:
    """Make a piece of what is no transaction; white space before it belongs to nobody."""
    lead = len(body) - len(body.lstrip())
    is_end = gap.kind == "eof" and not _ROOT_END.search(body)
    flaw: Flaw = "too_large" if gap.is_too_large else "incomplete" if is_end else "stray"
    return Piece(body[lead:][:MAX_RECORD_BYTES], byte + lead, line + line_ends(body[:lead]), flaw)


def _boundary(root: Root) -> re.Pattern[bytes]:
    """Name the tags that end what came before; only those in the root's own namespace."""
    names = b"|".join(
        re.escape(prefix + b":" if prefix else b"") for prefix in sorted(root.prefixes)
    )
    return re.compile(
        rb"(?P<comment><!--)|(?P<cdata><!\[CDATA\[)"
        rb"|(?P<start><(?:" + names + rb")Transaction(?=[\s/>]))"
        rb"|(?P<end></(?:" + names + rb")Transaction\s{0,16}>)"
        rb"|(?P<root></(?:" + names + rb")POSLog\s{0,16}>)"
    )


def _take_until(
    window: Window, boundary: re.Pattern[bytes], begin: int, kinds: Collection[str]
) -> _Reached:
    """Take everything before the next boundary of these kinds, holding at most one large record."""
    head, is_too_large, at = b"", False, begin
    while True:
        found = boundary.search(window.data, at)
        if found is not None and found.lastgroup in kinds:
            is_too_large = is_too_large or found.start() > MAX_RECORD_BYTES
            before = window.take(found.start())
            return _Reached(
                str(found.lastgroup), head or before, found.end() - found.start(), is_too_large
            )
        if found is not None:
            at = _after_section(window, found) if found.lastgroup in _SECTIONS else found.end()
            continue
        at = max(at, len(window.data) - _TAIL_BYTES)
        if at > MAX_RECORD_BYTES:
            head = head or bytes(window.data[:KEPT_OF_TOO_LARGE_BYTES])
            window.take(at)
            is_too_large, at = True, 0
        if not window.load():
            rest = window.take(len(window.data))
            return _Reached("eof", head or rest, 0, is_too_large)


def _after_section(window: Window, opened: re.Match[bytes]) -> int:
    """Give the place after a comment or CDATA section.

    One that never closes properly is not skipped: it would swallow the transactions behind it.
    XML allows no `--` within a comment, and nobody opens CDATA within CDATA, so a second opening
    before the closing shows that the first one is broken.
    """
    start, stop = opened.start(), opened.end()
    closing, breaking = _SECTIONS[str(opened.lastgroup)]
    while True:
        found = breaking.search(window.data, stop)
        enough = found is not None and found.start() + len(closing) <= len(window.data)
        if found is not None and enough:
            is_closed = window.data.startswith(closing, found.start())
            is_short = found.start() - start <= _MAX_SECTION_BYTES
            return found.start() + len(closing) if is_closed and is_short else stop
        if len(window.data) - start > _MAX_SECTION_BYTES + len(closing) or not window.load():
            return stop
