"""A real trader's rows: every invoice has its fate, and a damaged row holds only its own ticket."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from decimal import Decimal
from io import StringIO

import pytest

from connectors.sdk.message import HoldRecord
from tests.connectors.pos_files.reading import POSLOG, TLOG, outcomes


def test_every_invoice_of_the_real_files_is_a_sale_or_a_stock_correction(real_tlog: bytes) -> None:
    invoices = _invoices(real_tlog)
    free = {
        number
        for number, rows in invoices.items()
        if all(Decimal(row["UnitPrice"]) == 0 and not row["CustomerID"] for row in rows)
    }

    found = outcomes(real_tlog, TLOG)

    assert found.held == {}
    assert [order.number for order in found.orders()] == [n for n in invoices if n not in free]
    assert {key.partition("/")[0] for key in found.skipped} == free
    assert set(found.skipped.values()) <= {"skipped.stock_adjustment"}


def test_amounts_of_the_real_files_add_up_per_tender(real_tlog: bytes) -> None:
    expected = {
        number: sum(
            (Decimal(row["Quantity"]) * Decimal(row["UnitPrice"]) for row in rows), Decimal(0)
        )
        for number, rows in _invoices(real_tlog).items()
    }

    orders = outcomes(real_tlog, {**TLOG, "tender": "account"}).orders()

    paid = {
        order.number: [(tender.kind, tender.amount) for tender in order.tenders] for order in orders
    }
    assert paid == {number: [("account", amount)] for number, amount in expected.items() if amount}
    assert sum(order.total for order in orders) == sum(expected.values())


def test_every_row_of_the_real_files_is_in_exactly_one_record(real_tlog: bytes) -> None:
    found = outcomes(real_tlog, TLOG)

    header, _, rows = real_tlog.partition(b"\n")
    assert b"".join(record.body for record in found.records) == rows
    assert found.records[0].position.byte == len(header) + 1
    for record in found.records:
        assert record.position.line == real_tlog[: record.position.byte].count(b"\n") + 1


@pytest.mark.parametrize(
    ("code", "breaks"),
    [
        ("csv.quote", lambda row: re.sub(rb"^(\w+),(\w+),", rb'\1,\2,"', row)),
        ("csv.columns", lambda row: row.replace(b",United Kingdom", b"")),
        ("csv.columns", lambda row: row[:24]),
        ("csv.field_too_long", lambda row: row.replace(b",", b"," + b"x" * 140_000, 1)),
        ("text.nul", lambda row: row.replace(b",", b",\0", 1)),
    ],
)
def test_damaged_rows_of_the_real_file_hold_their_tickets_only(
    real_tlog: bytes, code: str, breaks: Callable[[bytes], bytes]
) -> None:
    sound = outcomes(real_tlog, TLOG)
    lines = real_tlog.splitlines(keepends=True)
    plain = [
        at
        for at, line in enumerate(lines)
        if line.endswith(b",United Kingdom\n") and b'"' not in line
    ]
    victims = plain[50::100]
    touched = {lines[at].partition(b",")[0].decode() for at in victims}
    for at in victims:
        lines[at] = breaks(lines[at].rstrip(b"\n")) + b"\n"
    broken = b"".join(lines)

    found = outcomes(broken, TLOG)

    assert {key.partition("/")[0] for key in found.held} == touched
    assert {problem.code for problem in found.held.values()} == {code}
    for key, problem in found.held.items():
        record = next(record for record in found.records if record.key == key)
        row = int(problem.pointer.removeprefix("/rows/"))
        line = record.position.line + row
        byte = record.position.byte + sum(map(len, record.body.splitlines(keepends=True)[:row]))
        assert line - 1 in victims
        assert f"line {line} (byte {byte})" in problem.words
        assert broken[byte:].startswith(lines[line - 1])
    expected = {k: e for k, e in sound.events.items() if k.partition("/")[0] not in touched}
    assert found.events == expected


@pytest.mark.parametrize(
    ("code", "column", "place", "wrong"),
    [
        ("quantity.invalid", "Quantity", 3, b"six"),
        ("amount.invalid", "UnitPrice", 5, b"2.5.5"),
        ("amount.scale", "UnitPrice", 5, b"2.12345678"),
        ("time.invalid", "InvoiceDate", 4, b"2010-13-01 08:26:00"),
        ("time.invalid", "InvoiceDate", 4, b"01/12/2010 08:26"),
    ],
)
def test_wrong_values_in_the_real_file_hold_their_tickets_only(
    real_tlog: bytes, code: str, column: str, place: int, wrong: bytes
) -> None:
    sound = outcomes(real_tlog, TLOG)
    lines = real_tlog.splitlines(keepends=True)
    victims = [
        at
        for at, line in enumerate(lines)
        if at and b'"' not in line and b",0.0," not in line and line.count(b",") == 7
    ][30::100]
    touched = {lines[at].partition(b",")[0].decode() for at in victims}
    for at in victims:
        fields = lines[at].split(b",")
        fields[place] = wrong
        lines[at] = b",".join(fields)

    found = outcomes(b"".join(lines), TLOG)

    assert {key.partition("/")[0] for key in found.held} == touched
    for key, problem in found.held.items():
        record = next(record for record in found.records if record.key == key)
        row = int(problem.pointer.split("/")[2])
        assert (problem.code, problem.pointer) == (code, f"/rows/{row}/{column}")
        assert record.position.line + row - 1 in victims
    expected = {k: e for k, e in sound.events.items() if k.partition("/")[0] not in touched}
    assert found.events == expected


def test_a_tlog_read_as_a_poslog_is_refused_before_any_record(real_tlog: bytes) -> None:
    with pytest.raises(HoldRecord) as refused:
        outcomes(real_tlog, POSLOG)

    assert refused.value.code == "xml.malformed"


def _invoices(content: bytes) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(StringIO(content.decode(), newline="")):
        found.setdefault(row["InvoiceNo"], []).append(row)
    return found
