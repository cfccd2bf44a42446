"""A T-log CSV as records: one per ticket, each with its key, its bytes and its place."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from typing import BinaryIO

from connectors.canonical.money import Money
from connectors.catalog.pos_files.encoding import BOM, check_encoding
from connectors.catalog.pos_files.record_key import broken_key
from connectors.catalog.pos_files.settings import TillSettings, till_settings
from connectors.catalog.pos_files.tlog_flaws import flaw_of_row
from connectors.catalog.pos_files.tlog_layout import Layout, layout_of
from connectors.catalog.pos_files.tlog_lines import ticket_key, told_total
from connectors.catalog.pos_files.tlog_rows import Row, rows
from connectors.catalog.pos_files.tlog_tickets import MAX_TICKET_BYTES, Ticket, tickets
from connectors.catalog.pos_files.window import Window
from connectors.sdk.message import FileRecord, HoldRecord, JsonObject, Position

TOPIC = "ticket"


def split_tlog(name: str, file: BinaryIO, settings: JsonObject) -> Iterator[FileRecord]:
    """Cut a T-log into tickets, streaming; calling twice gives the same records.

    Takes:  a seekable file at its start; it is read twice, first to find numbers used again.
    Gives:  one record per ticket in file order, keyed `number/day`; the key of a held one also
            carries a digest, so that the corrected one is not taken for a repeat.
    Rules:  a number that comes back later with other rows (L14) may be one ticket torn apart or two
            tickets: all of them are held as `ticket.number_reused`.
    Memory: one ticket, and about 250 bytes for each ticket number.
    Raises: HoldRecord when the file as a whole cannot be trusted, before any record.
    """
    till, layout = till_settings(settings), layout_of(settings)
    check_encoding(file, till.encoding)
    torn = _numbers_used_again(_tickets(file, layout, till), layout)
    file.seek(0)
    for number, ticket in enumerate(_tickets(file, layout, till), start=1):
        position = Position(name, number, ticket.rows[0].line, ticket.rows[0].byte)
        body = _body(ticket)
        key = ticket_key(ticket.number, ticket.rows, layout)
        problem = _problem(ticket, is_torn=_short(key.encode()) in torn)
        if problem is None:
            yield FileRecord(TOPIC, key, body, position)
        else:
            problem = _priced(problem, ticket.rows, layout, till)
            yield FileRecord(TOPIC, broken_key(key, body), body, position, problem)


def _tickets(file: BinaryIO, layout: Layout, till: TillSettings) -> Iterator[Ticket]:
    """Read tickets after the header line, which must be the declared one."""
    window = Window(file)
    found = rows(_after_bom(window), layout, till.encoding)
    header = next(found, None)
    if header is None:
        raise HoldRecord("file.empty", "/", "The file is empty. Ask the till to send it again.")
    if tuple(name.strip() for name in header.fields) != layout.header:
        text = header.raw.decode(till.encoding, "replace").strip()
        raise HoldRecord(
            "csv.columns",
            "/",
            f'The columns should be "{layout.delimiter.join(layout.header)}" but the first line is '
            f'"{text[:200]}". Nothing of the file was used. Correct the columns in the connection.',
        )
    return tickets(found)


def _after_bom(window: Window) -> Window:
    while len(window.data) < len(BOM) and window.load():
        pass
    if window.data.startswith(BOM):
        window.take(len(BOM))
    return window


def _numbers_used_again(found: Iterator[Ticket], layout: Layout) -> frozenset[bytes]:
    """Give the digests of the keys that stand in the file more than once, with other content."""
    seen: dict[bytes, bytes] = {}
    torn: set[bytes] = set()
    for ticket in found:
        key = _short(ticket_key(ticket.number, ticket.rows, layout).encode())
        content = _short(_body(ticket))
        if seen.setdefault(key, content) != content:
            torn.add(key)
    return frozenset(torn)


def _problem(ticket: Ticket, *, is_torn: bool) -> HoldRecord | None:
    if ticket.is_too_large:
        return HoldRecord(
            "ticket.too_large",
            "/rows",
            f"Ticket {ticket.number} is larger than {MAX_TICKET_BYTES // 1_048_576} MiB; only its "
            "beginning is kept. Check whether the till repeats one number.",
        )
    for at, row in enumerate(ticket.rows):
        if row.flaw:
            return flaw_of_row(row, at, ticket.number)
    if ticket.doubt is not None:
        return flaw_of_row(ticket.doubt, 0, ticket.number, is_before=True)
    return _torn(ticket) if is_torn else None


def _torn(ticket: Ticket) -> HoldRecord:
    return HoldRecord(
        "ticket.number_reused",
        "/rows/0",
        f"Number {ticket.number} stands in this file more than once, with other tickets between. "
        "It may be one ticket torn apart or two tickets with one number, so none is used alone. "
        "Compare them, then release or discard each.",
    )


def _priced(
    problem: HoldRecord, found: list[Row], layout: Layout, till: TillSettings
) -> HoldRecord:
    """Add what the readable rows come to, which is the least that is at stake."""
    total = told_total(found, layout, till.currency)
    at_stake = Money(amount=total, currency=till.currency) if till.currency else None
    return HoldRecord(
        problem.code,
        problem.pointer,
        problem.words,
        at_stake if total != Decimal(0) else None,
    )


def _body(ticket: Ticket) -> bytes:
    return b"".join(row.raw for row in ticket.rows)


def _short(content: bytes) -> bytes:
    return sha256(content).digest()[:16]
