"""Settlement reports: cut while they stream, read by their marketplace, refused rather than guessed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest

from app.retail.settlements.proof import prove
from connectors import registry
from connectors.canonical.settlement import Settlement
from connectors.sdk.message import FileRecord, HoldRecord, JsonObject, RawMessage
from tests.app.retail.settlements.report import Row, as_tsv

FIXTURES = Path(registry.__file__).parent / "catalog" / "settlement_files" / "fixtures"
SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
US: JsonObject = {"marketplace": "amazon.com"}
DE: JsonObject = {"marketplace": "amazon.de"}
D = Decimal
ROWS: list[Row] = [
    ("Order", "o-1", "ItemPrice", "Principal", "20.00"),
    ("Order", "o-1", "ItemFees", "Never seen", "-3.00"),
]


def cut(content: bytes, settings: JsonObject = US) -> list[FileRecord]:
    return list(registry.load("settlement_files").split("r.txt", BytesIO(content), settings))


def read(content: bytes, settings: JsonObject = US) -> Settlement:
    (record,) = cut(content, settings)
    return told(record, settings)


def told(record: FileRecord, settings: JsonObject = US) -> Settlement:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    message = RawMessage(record.topic, record.body, at, {}, record.position, settings)
    (event,) = registry.load("settlement_files").read(message).events
    assert isinstance(event.body, Settlement)
    return event.body


def test_a_report_is_one_settlement_that_adds_up_to_its_payout() -> None:
    found = read((FIXTURES / "flat_file_v2_us.txt").read_bytes())

    assert (found.settlement_id, found.channel, found.currency) == ("24001", "amazon", "USD")
    assert (found.payout, found.deposited_on) == (D("84.96"), date(2026, 11, 17))
    assert [(line.type, line.description, line.amount) for line in found.lines] == [
        ("ItemPrice", "Principal", D("99.95")),
        ("ItemPrice", "Tax", D("8.00")),
        ("ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", D("-8.00")),
        ("ItemFees", "Commission", D("-14.99")),
    ]
    assert found.lines[0].posted_at == datetime(2026, 11, 3, 14, 5, 6, tzinfo=UTC)
    assert prove(found).is_exact


def test_a_german_report_has_commas_and_days_first() -> None:
    """E-F07."""
    found = read((FIXTURES / "flat_file_v2_de.txt").read_bytes(), DE)

    assert (found.currency, found.payout) == ("EUR", D("80.75"))
    assert [line.amount for line in found.lines] == [D("95.00"), D("-14.25")]
    assert found.period_start == datetime(2026, 11, 1, tzinfo=UTC)
    assert prove(found).is_exact


@pytest.mark.parametrize(
    ("settings", "code"),
    [(US, "settlement.number_format"), ({}, "settlement.marketplace")],
)
def test_how_numbers_are_written_is_never_guessed(settings: JsonObject, code: str) -> None:
    """E-F07. `80,75` is no number at amazon.com, and without a marketplace nothing is."""
    with pytest.raises(HoldRecord) as held:
        read((FIXTURES / "flat_file_v2_de.txt").read_bytes(), settings)

    assert held.value.code == code
    assert held.value.words.endswith(".")


def test_a_field_that_cannot_be_read_is_named_by_line_and_column() -> None:
    broken = as_tsv(ROWS).replace("-3.00", "-3.O0").encode()

    with pytest.raises(HoldRecord, match=r'Line 4, column amount: "-3.O0"') as held:
        read(broken)

    assert held.value.pointer == "/line/4/amount"


def test_words_that_nobody_knows_are_kept_as_they_are() -> None:
    """E-F06. An unknown fee is a line like any other."""
    found = read(as_tsv(ROWS).encode())

    assert [line.description for line in found.lines] == ["Principal", "Never seen"]
    assert prove(found).is_exact


def test_a_file_of_two_settlements_is_two_records_each_with_its_place() -> None:
    one, other = as_tsv(ROWS), as_tsv(ROWS).replace("19874", "19875")
    content = (one + other.partition("\n")[2]).encode()

    first, second = cut(content)

    assert [told(each).settlement_id for each in (first, second)] == ["19874", "19875"]
    assert (first.position.line, second.position.line) == (2, 5)
    assert content[second.position.byte :].startswith(b"19875")
    assert first.key != second.key


def test_lines_that_go_on_after_another_settlement_began_are_refused() -> None:
    one, other = as_tsv(ROWS), as_tsv(ROWS).replace("19874", "19875")
    content = one + other.partition("\n")[2] + one.splitlines()[2] + "\n"

    problems = [each.problem.code if each.problem else None for each in cut(content.encode())]

    assert problems == [None, None, "settlement.torn"]


def test_another_table_is_refused_before_any_record() -> None:
    with pytest.raises(HoldRecord, match="This is no settlement report"):
        cut(b"sku\tquantity\nA\t1\n")


def test_a_file_is_read_no_further_than_it_is_asked_for() -> None:
    """One settlement is in memory, not the file."""
    one = as_tsv(ROWS)
    pieces = [one.replace("19874", str(20_000 + n)).partition("\n")[2] for n in range(50)]
    file = BytesIO((one + "".join(pieces)).encode())

    found: Iterator[FileRecord] = registry.load("settlement_files").split("r", file, US)
    next(found)

    assert file.tell() < len(one) + 2 * len(pieces[0])


@pytest.mark.skipif(not SAMPLES.exists(), reason="the vendors' own samples are not here")
def test_a_real_report_of_the_earlier_layout_is_read_and_its_missing_part_is_noticed() -> None:
    """Four rows of a real report: what stands there is read, and they do not come to its total."""
    content = (SAMPLES / "amazon" / "settlement" / "flatfile_v1_mws-rs.tsv").read_bytes()

    found = read(content)

    assert (found.settlement_id, found.payout) == ("6016502941", D("16630.13"))
    assert [(line.type, line.description, line.amount) for line in found.lines] == [
        ("ItemPrice", "Principal", D("27.99")),
        ("ItemFees", "FBAPerOrderFulfillmentFee", D("-1.00")),
    ]
    assert not prove(found).is_exact
