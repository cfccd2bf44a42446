"""Hostile and damaged POSLogs: what is whole is read, what is not is named, nothing is followed."""

from __future__ import annotations

import pytest

from connectors.sdk.message import HoldRecord
from tests.connectors.pos_files.poslog_text import ROOT, poslog, simple, transaction
from tests.connectors.pos_files.reading import FIXTURES, POSLOG, outcomes, split

DEEP = "<a>" * 70 + "</a>" * 70
DEEPER_THAN_THE_PARSER = "<a>" * 300 + "</a>" * 300
MANY = "<a " + " ".join(f'b{n}="1"' for n in range(100_001)) + "/>"


def test_fixture_is_cut_at_its_transactions_and_nowhere_in_comments_or_cdata() -> None:
    content = (FIXTURES / "two_stores.xml").read_bytes()

    records = split(content, POSLOG, "two_stores.xml")

    assert [(r.key, r.position.record, r.position.line) for r in records] == [
        ("12/2026-03-07/1/7", 1, 4),
        ("12/2026-03-07/1/8", 2, 6),
        ("31/2026-03-07/2/8", 3, 15),
    ]
    assert all(record.problem is None for record in records)
    assert all(record.position.file == "two_stores.xml" for record in records)
    assert records[1].body in content
    assert records[1].body.startswith(b"<Transaction><RetailStoreID>12")
    assert records[1].body.endswith(b"</RetailTransaction></Transaction>")


@pytest.mark.parametrize(
    ("code", "inside"),
    [
        ("xml.too_deep", DEEP),
        ("xml.too_deep", DEEPER_THAN_THE_PARSER),
        ("xml.too_many_items", MANY),
        ("xml.malformed", "<Description>&secret;</Description>"),
        ("xml.malformed", "<Description>never closed"),
        ("xml.dtd", '<!ENTITY x SYSTEM "file:///etc/hostname">'),
        ("xml.malformed", "<![CDATA[never closed"),
        ("xml.malformed", "<!-- never closed"),
    ],
)
def test_one_hostile_transaction_is_held_and_its_neighbours_are_read(
    code: str, inside: str
) -> None:
    hostile = transaction(inside, sequence="2")

    found = outcomes(poslog(simple(1), hostile, simple(3)), POSLOG)

    assert list(found.events) == ["9/2026-03-07/34/1", "9/2026-03-07/34/3"]
    ((key, problem),) = found.held.items()
    assert problem.code == code
    assert key.startswith("9/2026-03-07/34/2!")


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("file.empty", b""),
        ("xml.dtd", b'<!DOCTYPE POSLog SYSTEM "http://192.0.2.1/x.dtd">' + poslog(simple(1))),
        ("xml.dtd", b'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY e "1">]>' + poslog(simple(1))),
        ("poslog.incomplete", b"<POSLog xmlns="),
        ("poslog.root_unknown", b"<Invoices/>"),
        ("xml.namespace", poslog(simple(1)).replace(b"nrf-arts", b"example")),
        ("xml.malformed", b"PK\x03\x04 not xml"),
        ("file.encoding", poslog(simple(1)).replace(b"Thing", b"Caf\xe9")),
        (
            "file.encoding",
            b'<?xml version="1.0" encoding="iso-8859-1"?>'
            + poslog(simple(1)).replace(b"Thing", "Café".encode()),
        ),
        ("file.encoding", poslog(simple(1)).decode().encode("utf-16")),
    ],
)
def test_file_that_cannot_be_trusted_is_refused_before_any_record(
    code: str, content: bytes
) -> None:
    with pytest.raises(HoldRecord) as refused:
        split(content, POSLOG)

    assert refused.value.code == code


def test_windows_file_is_read_when_the_connection_says_so() -> None:
    content = b'<?xml version="1.0" encoding="windows-1252"?>' + poslog(simple(1)).replace(
        b"Thing", b"Caf\xe9"
    )

    found = outcomes(content, {**POSLOG, "encoding": "windows-1252"})

    assert found.orders()[0].lines[0].title == "Café"


def test_root_with_a_prefix_is_read_like_one_without() -> None:
    content = poslog(simple(1), simple(2)).replace(b"xmlns=", b"xmlns:p=")
    for name in (b"POSLog", b"Transaction"):
        content = content.replace(b"<" + name, b"<p:" + name)
        content = content.replace(b"</" + name, b"</p:" + name)

    found = outcomes(content.replace(b"<p:POSLog xmlns:p=", b"<p:POSLog xmlns:p="), POSLOG)

    assert list(found.events) == ["9/2026-03-07/34/1", "9/2026-03-07/34/2"]


def test_missing_end_tag_costs_one_transaction() -> None:
    torn = simple(2).removesuffix("</Transaction>")

    found = outcomes(poslog(simple(1), torn, simple(3)), POSLOG)

    assert list(found.events) == ["9/2026-03-07/34/1", "9/2026-03-07/34/3"]
    assert [problem.code for problem in found.held.values()] == ["xml.malformed"]


def test_missing_start_tag_is_reported_with_its_place() -> None:
    content = poslog(simple(1), simple(2).removeprefix("<Transaction>"), simple(3))

    found = outcomes(content, POSLOG)

    assert list(found.events) == ["9/2026-03-07/34/1", "9/2026-03-07/34/3"]
    assert [problem.code for problem in found.held.values()] == ["xml.malformed"]
    position = found.records[1].position
    assert (position.line, position.record) == (3, 2)
    assert content[position.byte :].startswith(b"<RetailStoreID>")


def test_file_that_ends_between_two_transactions_is_reported_as_incomplete() -> None:
    content = poslog(simple(1), simple(2)).replace(b"</POSLog>", b"")

    found = outcomes(content, POSLOG)

    assert len(found.events) == 2
    assert [problem.code for problem in found.held.values()] == ["poslog.incomplete"]


def test_transaction_larger_than_any_ticket_is_held_by_its_beginning() -> None:
    huge = transaction("<x>" + "a" * 5_000_000 + "</x>", sequence="2")

    records = split(poslog(simple(1), huge, simple(3)), POSLOG)

    assert [record.problem and record.problem.code for record in records] == [
        None, "xml.record_too_large", None,
    ]  # fmt: skip
    assert len(records[1].body) == 65_536
    assert records[2].position.line == 4


def test_same_number_with_other_content_is_held_and_an_exact_repeat_keeps_its_key() -> None:
    edited = simple(1).replace("Thing", "Other thing")

    records = split(poslog(simple(1), simple(1), edited), POSLOG)

    assert [record.key for record in records[:2]] == ["9/2026-03-07/34/1"] * 2
    assert records[2].problem is not None
    assert records[2].problem.code == "ticket.number_reused"
    assert records[2].key.startswith("9/2026-03-07/34/1!")
    assert str(records[2].problem.amount) == "Money(amount=Decimal('5.00'), currency='USD')"


def test_transaction_without_a_number_is_held_because_nothing_tells_it_from_others() -> None:
    nameless = simple(2).replace("<SequenceNumber>2</SequenceNumber>", "<SequenceNumber/>")

    found = outcomes(poslog(simple(1), nameless), POSLOG)

    ((_, problem),) = found.held.items()
    assert (problem.code, problem.pointer) == ("ticket.key_missing", "/Transaction/SequenceNumber")


def test_operator_is_part_of_the_key_where_sequences_restart_per_operator() -> None:
    records = split(poslog(simple(1)), {**POSLOG, "sequence_resets_per_operator": True})

    assert [record.key for record in records] == ["9/2026-03-07/34/94/1"]


def test_two_logs_written_after_each_other_are_both_read() -> None:
    found = outcomes(poslog(simple(1)) + poslog(simple(2)), POSLOG)

    assert list(found.events) == ["9/2026-03-07/34/1", "9/2026-03-07/34/2"]
    assert found.held == {}


def test_log_without_transactions_gives_no_records() -> None:
    assert split(f"{ROOT}</POSLog>".encode(), POSLOG) == []


def test_file_without_a_known_ending_is_refused_when_the_connection_names_no_dialect() -> None:
    with pytest.raises(HoldRecord) as refused:
        split(poslog(simple(1)), {"currency": "USD"}, "till.dat")

    assert refused.value.code == "file.dialect_unknown"
    assert len(split(poslog(simple(1)), {"currency": "USD"}, "Till.XML")) == 1
