"""Files as streams: the size of the pieces they arrive in and of the whole changes nothing."""

from __future__ import annotations

import tracemalloc
from collections import deque
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.catalog.pos_files.emulator import TillFleet, TillItem, as_text
from connectors.registry import load
from connectors.sdk.message import FileRecord, JsonObject
from tests.connectors.pos_files.poslog_text import ROOT, poslog, simple
from tests.connectors.pos_files.reading import FIXTURES, POSLOG, TLOG, Chunked, split
from tests.connectors.pos_files.test_tlog_split import row, tlog

BROKEN_LOG = poslog(
    simple(1), "<!-- </Transaction> -->", simple(2).replace("<Sale>", "<!-- <Sale>"), "rubbish",
    simple(3).removesuffix("</Transaction>"), simple(4).replace("Thing", "<![CDATA[</Transaction>]]>"),
    simple(5).replace("Thing", "<![CDATA[open"), simple(6).removeprefix("<Transaction>"), simple(7),
)[:-30]  # fmt: skip
BROKEN_TLOG = tlog(
    row(1), row(2, title='"two\r\nlines"'), row(2) + ",more", row(3, title='"open'), "", "rubbish",
    row(4, title='"a ""b"""'), row(5), row(1, "B"), end="\r\n",
)  # fmt: skip


@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize(
    ("content", "dialect"),
    [
        (BROKEN_LOG, POSLOG),
        ((FIXTURES / "two_stores.xml").read_bytes(), POSLOG),
        (b"\xef\xbb\xbf" + BROKEN_TLOG, TLOG),
        ((FIXTURES / "three_tickets.csv").read_bytes(), TLOG),
    ],
    ids=["broken poslog", "poslog", "broken tlog", "tlog"],
)
def test_any_chunking_gives_the_same_records(
    content: bytes, dialect: JsonObject, sizes: list[int]
) -> None:
    expected = split(content, dialect)

    found = load("pos_files").split("till.dat", Chunked(content, sizes), dialect)

    assert list(map(_shape, found)) == list(map(_shape, expected))


@pytest.mark.parametrize(("content", "dialect"), [(BROKEN_LOG, POSLOG), (BROKEN_TLOG, TLOG)])
def test_splitting_the_same_file_twice_gives_the_same_keys_and_bytes(
    content: bytes, dialect: JsonObject
) -> None:
    first, second = split(content, dialect), split(content, dialect)

    assert list(map(_shape, first)) == list(map(_shape, second))
    keys = [record.key for record in first if record.problem is not None]
    assert len(set(keys)) == len(keys)


@given(noise=st.binary(max_size=200), at=st.integers(0, len(BROKEN_LOG)))
@settings(max_examples=100, deadline=None)
def test_no_noise_in_a_poslog_hides_a_transaction_that_is_whole(noise: bytes, at: int) -> None:
    text = noise.decode("ascii", "ignore").replace("<", "(").encode()
    body = poslog(*(simple(n) for n in range(1, 8)))
    place = max(len(ROOT), at % len(body))
    noisy = body[:place] + text + body[place:]

    records = split(noisy, POSLOG)

    whole = {r.key for r in split(body, POSLOG) if not r.position.byte <= place <= _end(r)}
    assert whole <= {record.key for record in records if record.problem is None}


@pytest.mark.parametrize("dialect", [POSLOG, TLOG])
def test_memory_does_not_grow_with_the_file_beyond_its_ticket_numbers(
    tmp_path: Path, dialect: JsonObject
) -> None:
    path = tmp_path / "big"
    tickets = _write_large(path, dialect["dialect"])

    with path.open("rb") as file:
        tracemalloc.start()
        last = deque(load("pos_files").split("big", file, dialect), maxlen=1)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert path.stat().st_size > 10_000_000
    assert last[0].position.record == tickets
    assert peak_bytes < 2_000_000 + 300 * tickets


def _write_large(path: Path, dialect: str) -> int:
    """Write 10 MB of tickets, all with numbers of their own; say how many."""
    fleet = TillFleet(1, [TillItem("A-1", "Thing " * 30, Decimal("2.50"))], ["9"])
    tickets = fleet.tickets(datetime(2026, 3, 7, 9), gap_s=1.0)  # noqa: DTZ001 - store time
    count = 0
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < 10_000_000:
            head, _, rest = as_text(list(islice(tickets, 500)), dialect).partition("\n")
            file.write(("" if count else f"{head}\n") + rest.removesuffix("</POSLog>\n"))
            count += 500
        file.write("</POSLog>\n" if dialect == "poslog_ncr" else "")
    return count


def _shape(record: FileRecord) -> tuple[object, ...]:
    problem = record.problem
    told = problem and (problem.code, problem.pointer, problem.words, problem.amount)
    return (record.topic, record.key, record.body, record.position, told)


def _end(record: FileRecord) -> int:
    return record.position.byte + len(record.body)
