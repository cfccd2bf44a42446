"""The tills of the demo: they keep selling at an honest pace and leave a file for each ticket.

One ticket in forty is damaged on its way into the file, as it happens in stores; it has to be held,
alone, with its position and its money, while all others go on.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from app.demo.world import SEED, STORES, TIMEZONE, till_items
from connectors.catalog.pos_files.emulator import Ticket, TillFleet, as_text
from connectors.catalog.pos_files.settings import POSLOG_NCR
from infra import clock

COUNT_FILE = "tickets-sold"
UNFINISHED, READY = ".part", ".xml"
DAMAGED_ONE_IN = 40
# Early enough to be seen in the first half minute.
FIRST_DAMAGED = 12

_PAYMENT = re.compile(r'<LineItem EntryMethod="Keyed">.*?</LineItem>')
_QUANTITY = re.compile(r"<Quantity>([^<]*)</Quantity>")


def without_payment(ticket: str) -> str:
    """Lose what the card terminal said."""
    return _PAYMENT.sub("", ticket)


def with_unreadable_quantity(ticket: str) -> str:
    """Garble the first quantity, as a bad line to the till's printer does."""
    return _QUANTITY.sub(r"<Quantity>\1?</Quantity>", ticket, count=1)


DAMAGES: tuple[Callable[[str], str], ...] = (without_payment, with_unreadable_quantity)


async def keep_selling(folder: Path, memory: Path, every_s: float) -> None:
    """Sell until cancelled; ticket numbers go on where the last run stopped, as real tills do.

    Cancelled, it ends when the ticket at hand is written: nobody writes in the folder afterwards.

    Takes: the folder that is watched, a folder to remember the count in, seconds between tickets.
    """
    fleet = TillFleet(seed=SEED, items=till_items(), stores=STORES)
    sold = tickets_sold(memory)
    finish_writing(folder, sold)
    for count, ticket in enumerate(fleet.tickets(_store_time()), start=1):
        if count > sold:
            await _sell_whole(folder, memory, count, ticket)
            await asyncio.sleep(every_s)


def tickets_sold(memory: Path) -> int:
    """Say how many tickets were sold so far."""
    try:
        return int((memory / COUNT_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def finish_writing(folder: Path, sold: int) -> None:
    """Hand over the ticket that was counted when the till lost its power; drop one that was not."""
    for unfinished in folder.glob(f"*{UNFINISHED}"):
        name, _, count = unfinished.stem.rpartition("_")
        if int(count) <= sold:
            unfinished.replace(folder / f"{name}{READY}")
        else:
            unfinished.unlink()


def text_of(count: int, ticket: Ticket) -> str:
    """Write a ticket; the 12th is damaged, and each 40th after it."""
    text = as_text([ticket], POSLOG_NCR)
    damaged, since = divmod(count - FIRST_DAMAGED, DAMAGED_ONE_IN)
    return text if since or damaged < 0 else DAMAGES[damaged % len(DAMAGES)](text)


async def _sell_whole(folder: Path, memory: Path, count: int, ticket: Ticket) -> None:
    # A cancelled wait does not end its thread: left behind, it would rename the file under the
    # hands of the next start, which tidies the same folder.
    loop = asyncio.get_running_loop()
    writing = loop.run_in_executor(None, _sell, folder, memory, count, ticket)
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await writing
        raise


def _sell(folder: Path, memory: Path, count: int, ticket: Ticket) -> None:
    # Killed before the count is kept, the same ticket is written again; after it, the next start
    # hands the file over. So no number is lost and none is used twice.
    now = replace(ticket, ended_at=_store_time())
    name = f"{now.store}-{now.workstation}-{now.sequence}"
    unfinished = folder / f"{name}_{count}{UNFINISHED}"
    unfinished.write_text(text_of(count, now), encoding="utf-8", newline="")
    draft = memory / f"{COUNT_FILE}.draft"
    draft.write_text(str(count), encoding="ascii")
    draft.replace(memory / COUNT_FILE)
    unfinished.replace(folder / f"{name}{READY}")


def _store_time() -> datetime:
    """Say the time as a till prints it: local, without zone, whole seconds."""
    return clock.now().astimezone(ZoneInfo(TIMEZONE)).replace(tzinfo=None, microsecond=0)
