"""Damaged T-logs: every row counts, no ticket passes with a line missing."""

from __future__ import annotations

import pytest

from connectors.sdk.message import HoldRecord
from tests.connectors.pos_files.reading import FIXTURES, TLOG, outcomes, split

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def row(number: object, code: str = "A1", title: str = "Thing") -> str:
    return f"{number},{code},{title},1,2026-03-07 09:00:00,2.00,,France"


def tlog(*rows: str, end: str = "\n") -> bytes:
    return (end.join((HEADER, *rows)) + end).encode()


def test_fixture_is_cut_into_tickets_and_quoted_fields_may_span_lines() -> None:
    content = (FIXTURES / "three_tickets.csv").read_bytes()

    records = split(content, TLOG, "three_tickets.csv")

    assert [(r.key, r.position.record, r.position.line) for r in records] == [
        ("900001/2026-03-07", 1, 2),
        ("C900002/2026-03-07", 2, 4),
        ("900003/2026-03-07", 3, 5),
    ]
    assert records[2].body.count(b"\n") == 3
    assert all(record.problem is None for record in records)


def test_unclosed_quote_in_row_two_of_ten_holds_only_its_ticket() -> None:
    rows = [row(n, title=f'"Thing, {n}"') for n in range(1, 11)]
    rows[1] = row(2, title='"Thing, 2')

    found = outcomes(tlog(*rows), TLOG)

    assert [order.number for order in found.orders()] == ["1", *map(str, range(3, 11))]
    ((key, problem),) = found.held.items()
    assert key.startswith("2/?!")
    assert (problem.code, problem.pointer) == ("csv.quote", "/rows/0")
    assert problem.words.startswith("Ticket 2: the row of it on line 3 (byte ")


@pytest.mark.parametrize(
    ("code", "damaged"),
    [
        ("csv.quote", row(2, title='"open')),
        ("csv.columns", row(2) + ",more"),
        ("csv.columns", "2,A1,Thing"),
        ("text.nul", row(2, title="a\0b")),
        ("csv.field_too_long", row(2, title="x" * 131_073)),
    ],
)
def test_damaged_row_holds_its_whole_ticket(code: str, damaged: str) -> None:
    content = tlog(row(1), row(2, "B1"), damaged, row(2, "B3"), row(3))

    found = outcomes(content, TLOG)

    assert [order.number for order in found.orders()] == ["1", "3"]
    ((_, problem),) = found.held.items()
    assert (problem.code, problem.pointer) == (code, "/rows/1")
    assert str(problem.amount) == "Money(amount=Decimal('4.00'), currency='GBP')"
    assert found.records[2].position.line == 6


def test_line_larger_than_any_row_is_kept_by_its_beginning_and_holds_its_ticket() -> None:
    huge = row(2, title="x" * 2_000_000)

    records = split(tlog(row(1), row(2, "B1"), huge, row(2, "B3"), row(3)), TLOG)

    assert [record.problem and record.problem.code for record in records] == [
        None, "csv.field_too_long", None,
    ]  # fmt: skip
    assert len(records[1].body) < 140_000
    assert records[2].position.line == 6


@pytest.mark.parametrize("damaged", ["rubbish", '"2', row(99) + ",more"])
def test_damaged_row_between_two_rows_of_one_ticket_belongs_to_it(damaged: str) -> None:
    found = outcomes(tlog(row(1), row(2), damaged, row(2, "B"), row(3)), TLOG)

    assert [order.number for order in found.orders()] == ["1", "3"]
    assert [key.partition("!")[0] for key in found.held] == ["2/2026-03-07"]


def test_row_without_readable_number_between_two_tickets_holds_both() -> None:
    found = outcomes(tlog(row(1), row(2), "rubbish", row(3), row(4)), TLOG)

    assert [order.number for order in found.orders()] == ["1", "4"]
    assert [key.partition("!")[0] for key in found.held] == ["2/2026-03-07", "3/2026-03-07"]
    assert [problem.code for problem in found.held.values()] == ["csv.columns"] * 2


def test_damaged_row_with_its_own_number_is_its_own_ticket() -> None:
    found = outcomes(tlog(row(1), "2,A1,Thing", row(3)), TLOG)

    assert [order.number for order in found.orders()] == ["1", "3"]
    assert [key.partition("!")[0] for key in found.held] == ["2/?"]


def test_damaged_first_row_of_the_next_ticket_holds_that_ticket_only() -> None:
    found = outcomes(tlog(row(1), "2,A1,Thing", row(2)), TLOG)

    assert [order.number for order in found.orders()] == ["1"]
    assert [key.partition("!")[0] for key in found.held] == ["2/2026-03-07"]


def test_rubbish_alone_in_a_file_is_reported() -> None:
    found = outcomes(tlog("rubbish"), TLOG)

    assert [problem.code for problem in found.held.values()] == ["csv.columns"]


def test_number_that_comes_back_later_with_other_rows_holds_all_its_parts() -> None:
    found = outcomes(tlog(row(1), row(2), row(1, "B"), row(3)), TLOG)

    assert [order.number for order in found.orders()] == ["2", "3"]
    assert [problem.code for problem in found.held.values()] == ["ticket.number_reused"] * 2
    assert len(set(found.held)) == 2


def test_exact_repeat_of_a_ticket_keeps_its_key() -> None:
    records = split(tlog(row(1), row(2), row(1)), TLOG)

    assert [record.key for record in records] == [
        "1/2026-03-07", "2/2026-03-07", "1/2026-03-07",
    ]  # fmt: skip
    assert all(record.problem is None for record in records)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_and_a_byte_order_mark_are_read(end: str) -> None:
    content = tlog(row(1), row(2), row(2, "B"), end=end)

    for variant in (content, content.rstrip(b"\r\n"), b"\xef\xbb\xbf" + content):
        found = outcomes(variant, TLOG)
        assert [len(order.lines) for order in found.orders()] == [1, 2]
        assert [record.position.line for record in found.records] == [2, 3]


def test_mixed_line_ends_and_blank_lines_are_read() -> None:
    content = f"{HEADER}\r\n{row(1)}\r{row(2)}\n\n{row(3)}".encode()

    found = outcomes(content, TLOG)

    assert [order.number for order in found.orders()] == ["1", "2", "3"]
    assert [record.position.line for record in found.records] == [2, 3, 5]


def test_windows_file_is_held_as_a_whole_until_its_encoding_is_named() -> None:
    content = tlog(row(1), row(2, title="Café")).decode().encode("windows-1252")

    with pytest.raises(HoldRecord) as refused:
        split(content, TLOG)

    assert refused.value.code == "file.encoding"
    assert f"byte {content.index(0xE9)} does not fit" in refused.value.words
    found = outcomes(content, {**TLOG, "encoding": "windows-1252"})
    assert found.orders()[1].lines[0].title == "Café"


@pytest.mark.parametrize(
    ("code", "content"),
    [("file.empty", b""), ("csv.columns", b"a,b,c\n1,2,3\n"), ("csv.columns", row(1).encode())],
)
def test_file_with_other_columns_is_refused_before_any_row(code: str, content: bytes) -> None:
    with pytest.raises(HoldRecord) as refused:
        split(content, TLOG)

    assert refused.value.code == code


def test_columns_may_have_other_names_and_places() -> None:
    settings = {
        **TLOG,
        "columns": {"invoice": "Bon", "code": "Artikel", "quantity": "Menge", "time": "Zeit",
                    "unit_price": "Preis"},
        "header": ["Zeit", "Bon", "Artikel", "Menge", "Preis"],
        "delimiter": ";",
        "time_format": "%d.%m.%Y %H:%M",
    }  # fmt: skip
    content = b"Zeit;Bon;Artikel;Menge;Preis\n07.03.2026 09:00;5;X-1;2;1.50\n"

    found = outcomes(content, settings)

    (order,) = found.orders()
    assert (order.order_id, str(order.total), order.lines[0].sku) == ("5/2026-03-07", "3.00", "X-1")


def test_connection_that_names_no_column_for_the_price_is_refused() -> None:
    with pytest.raises(HoldRecord) as refused:
        split(tlog(row(1)), {**TLOG, "header": ["InvoiceNo", "StockCode"]})

    assert refused.value.code == "csv.layout"
    assert "quantity, time, unit_price" in refused.value.words
