"""The tills of the demo: numbers go on after a restart, and a damaged ticket is held alone."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest

from app.demo.beside import beside
from app.demo.tills import COUNT_FILE, finish_writing, keep_selling, text_of, tickets_sold
from app.demo.world import CURRENCY, SEED, STORES, TIMEZONE, till_items
from connectors.catalog.pos_files.emulator import TillFleet, as_text
from connectors.catalog.pos_files.poslog_read import read_transaction
from connectors.catalog.pos_files.settings import POSLOG_NCR
from connectors.sdk.message import HoldRecord, RawMessage
from infra import clock

# As a till prints it: local, without zone.
START = datetime.fromisoformat("2026-11-27T09:00")
# More turns of the event loop than a cancelled task needs to end.
TURNS = 20
TICKETS = tuple(islice(TillFleet(seed=SEED, items=till_items(), stores=STORES).tickets(START), 100))


async def sell(folder: Path, memory: Path, until: int) -> None:
    """Let the tills sell until so many tickets were counted, then pull the plug."""
    async with beside(keep_selling(folder, memory, 0.0)):
        while True:
            if tickets_sold(memory) >= until:
                return
            await asyncio.sleep(0)


async def test_tills_go_on_with_their_numbers_after_a_restart(tmp_path: Path) -> None:
    folder, memory = tmp_path / "inbox", tmp_path
    folder.mkdir()

    await sell(folder, memory, until=10)
    await sell(folder, memory, until=25)

    finish_writing(folder, tickets_sold(memory))
    sold = tickets_sold(memory)
    expected = {f"{t.store}-{t.workstation}-{t.sequence}.xml" for t in TICKETS[:sold]}
    assert {path.name for path in folder.iterdir()} == expected


async def test_stopped_tills_write_the_ticket_at_hand_to_its_end(tmp_path: Path) -> None:
    folder, memory = tmp_path / "inbox", tmp_path
    folder.mkdir()
    # A pipe holds the tills between the ticket and its count until somebody reads it.
    os.mkfifo(memory / f"{COUNT_FILE}.draft")
    selling = asyncio.create_task(keep_selling(folder, memory, 0.0))
    while True:
        if list(folder.iterdir()):
            break
        await asyncio.sleep(0)

    selling.cancel()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    is_ended_before_its_ticket = selling.done()
    counted = await asyncio.to_thread((memory / f"{COUNT_FILE}.draft").read_text, "ascii")
    await asyncio.wait((selling,))

    assert not is_ended_before_its_ticket
    assert (counted, selling.cancelled()) == ("1", True)
    first = TICKETS[0]
    names = [path.name for path in folder.iterdir()]
    assert names == [f"{first.store}-{first.workstation}-{first.sequence}.xml"]


def test_ticket_that_was_counted_when_the_power_went_is_handed_over(tmp_path: Path) -> None:
    (tmp_path / "12-1-5_9.part").write_text("counted")
    (tmp_path / "12-1-6_10.part").write_text("not counted")

    finish_writing(tmp_path, sold=9)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"12-1-5.xml": "counted"}


def test_damaged_count_begins_again_instead_of_stopping_the_tills(tmp_path: Path) -> None:
    (tmp_path / COUNT_FILE).write_text("")

    assert tickets_sold(tmp_path) == 0


def test_one_ticket_in_forty_is_damaged_from_the_twelfth_on() -> None:
    damaged = [
        count
        for count, ticket in enumerate(TICKETS, start=1)
        if text_of(count, ticket) != as_text([ticket], POSLOG_NCR)
    ]

    assert damaged == [12, 52, 92]


@pytest.mark.parametrize(("count", "code"), [(12, "order.totals_differ"), (52, "quantity.invalid")])
def test_damaged_ticket_is_held_with_its_money(count: int, code: str) -> None:
    ticket = TICKETS[count - 1]

    with pytest.raises(HoldRecord) as held:
        read_transaction(message(text_of(count, ticket)))

    assert held.value.code == code
    assert held.value.amount is not None
    assert held.value.amount.amount == ticket.total


def message(text: str) -> RawMessage:
    body = text[text.index("<Transaction") : text.index("</POSLog>")]
    return RawMessage(
        topic="transaction",
        body=body.encode(),
        headers={},
        received_at=clock.now(),
        settings={"dialect": POSLOG_NCR, "timezone": TIMEZONE, "currency": CURRENCY},
    )
