"""The till fleet writes files that read back as exactly what it sold."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.catalog.pos_files.emulator import TillFleet, TillItem, invoice_number
from tests.connectors.pos_files.reading import POSLOG, TLOG, outcomes

DAY = date(2026, 3, 7)
ITEMS = (
    TillItem("MUG-1", "Mug <blue> & large", Decimal("7.50"), is_taxed=True),
    TillItem("PEAR", "Pears", Decimal("2.99"), is_weighed=True),
    TillItem("SOAP", "Soap, 3 bars", Decimal("4.25"), is_taxed=True),
)


def _fleet(seed: int = 4) -> TillFleet:
    return TillFleet(seed, ITEMS, ["12", "31"], return_share_0_1=0.1)


def test_a_day_of_poslog_reads_back_to_the_cent(tmp_path: Path) -> None:
    fleet = _fleet()

    path = fleet.write_day(tmp_path, DAY, 200)

    found = outcomes(path.read_bytes(), POSLOG)
    assert found.held == {}
    assert [(o.store, o.workstation, o.sequence, o.total) for o in found.orders()] == [
        (t.store, t.workstation, str(t.sequence), t.total) for t in fleet.written
    ]
    assert any(ticket.is_return for ticket in fleet.written)


def test_a_day_of_tlog_reads_back_to_the_cent(tmp_path: Path) -> None:
    fleet = _fleet()

    path = fleet.write_day(tmp_path, DAY, 200, "tlog_csv")

    found = outcomes(path.read_bytes(), TLOG)
    assert found.held == {}
    assert [(order.number, order.total) for order in found.orders()] == [
        (invoice_number(ticket), sum((line.amount for line in ticket.lines), Decimal(0)))
        for ticket in fleet.written
    ]


def test_same_seed_gives_the_same_file_and_another_seed_another(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    first = _fleet().write_day(tmp_path / "a", DAY, 50)
    second = _fleet().write_day(tmp_path / "b", DAY, 50)

    assert (first.name, first.read_bytes()) == (second.name, second.read_bytes())
    assert _fleet(seed=5).write_day(tmp_path, DAY, 50).read_bytes() != first.read_bytes()


@pytest.mark.parametrize("dialect", ["poslog_ncr", "tlog_csv"])
async def test_trickling_tills_finish_the_file_they_are_at_and_leave_no_half(
    tmp_path: Path, dialect: str
) -> None:
    fleet, stop = _fleet(), asyncio.Event()
    start = datetime(2026, 3, 7, 9)  # noqa: DTZ001 - local time of the store
    stop.set()

    await fleet.keep_writing(tmp_path, start, stop, every_s=60.0, dialect=dialect)

    assert len(fleet.written) == 1
    assert _suffixes(tmp_path) == [{"poslog_ncr": ".xml", "tlog_csv": ".csv"}[dialect]]


def _suffixes(folder: Path) -> list[str]:
    return [path.suffix for path in folder.iterdir()]
