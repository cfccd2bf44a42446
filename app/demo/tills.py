"""The tills of the demo: they keep selling at an honest pace and leave a file for each ticket."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from app.demo.world import SEED, STORES, TIMEZONE, till_items
from connectors.catalog.pos_files.emulator import TillFleet
from connectors.catalog.pos_files.settings import POSLOG_NCR
from infra import clock

COUNT_FILE = "tickets-sold"


async def keep_selling(folder: Path, memory: Path, every_s: float) -> None:
    """Sell until cancelled; ticket numbers go on where the last run stopped, as real tills do.

    Takes: the folder that is watched, a folder to remember the count in, seconds between tickets.
    """
    fleet = TillFleet(seed=SEED, items=till_items(), stores=STORES)
    sold = _sold(memory)
    for count, ticket in enumerate(fleet.tickets(_store_time()), start=1):
        if count <= sold:
            continue
        now = replace(ticket, ended_at=_store_time())
        await asyncio.to_thread(fleet.write_file, folder, [now], POSLOG_NCR)
        (memory / COUNT_FILE).write_text(str(count), encoding="ascii")
        await asyncio.sleep(every_s)


def _sold(memory: Path) -> int:
    try:
        return int((memory / COUNT_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _store_time() -> datetime:
    """Say the time as a till prints it: local, without zone, whole seconds."""
    return clock.now().astimezone(ZoneInfo(TIMEZONE)).replace(tzinfo=None, microsecond=0)
