"""A store day on the real processes: one file of 14,000 tickets with two bad ones, to the books."""

from __future__ import annotations

import asyncio
import os
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2

from connectors.catalog.http.emulator import Recorder
from connectors.catalog.pos_files.emulator import Ticket
from tenants.roles import Role
from tests.app.api.served import key_of
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import LOOK_EVERY_S, Scene, open_scene
from tests.benchmarks.storeday import (
    DAY,
    KIB_PER_MB,
    STORE,
    bad_of,
    expected_of,
    tickets_of,
    with_bad,
)
from tests.chaos.world import World
from tests.scenarios.finance import BooksOfAccount, open_finance_shop
from tests.stage import MASTER_KEY, Retailer, Stage, open_stage

DELIVERED_AT_MOST_S = 900.0
CALL_TIMEOUT_S = 300.0
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


async def measure_whole_day(world: World, tickets: int) -> list[Figure]:
    """Measure from the file's upload to the booked journal; fails when a ticket or a cent is off."""
    sold = tickets_of(tickets)
    bad = bad_of(sold)
    mine = replace(world, master_key=MASTER_KEY)
    async with (
        open_scene(mine, f"wholeday_{tickets}") as scene,
        open_stage(scene.database) as stage,
    ):
        books = BooksOfAccount()
        async with Recorder(books, port=scene.world.target_port) as recorder:
            books.url = recorder.url
            shop = await open_finance_shop(stage, books)
            await shop.publish()
            await scene.start_web()
            await scene.start_worker()
            # The watch over lanes and books runs beside, as it does in production.
            scene.fleet.start_product("scheduler", "scheduler")
            try:
                figures = await _play(scene, stage, shop.retailer, books, sold, bad)
            finally:
                scene.fleet.stop()
    return figures


async def _play(
    scene: Scene,
    stage: Stage,
    retailer: Retailer,
    books: BooksOfAccount,
    sold: list[Ticket],
    bad: list[Ticket],
) -> list[Figure]:
    key = await key_of(stage, Role.RETAILER_ADMIN, tenant_id=retailer.tenant_id)
    base = f"http://127.0.0.1:{scene.world.web_port}/v1"
    good = [ticket for ticket in sold if ticket not in bad]
    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(timeout=CALL_TIMEOUT_S, headers=headers) as client:
        started_s = time.monotonic()
        path = f"/connections/{retailer.connections['tills']}/files/day.xml"
        answer = await client.put(base + path, content=with_bad(sold, bad))
        assert answer.status_code == 200, answer.text
        uploaded_s = time.monotonic() - started_s
        receipt = answer.json()
        assert (receipt["records"], receipt["broken"]) == (len(sold), 0), receipt
        await _until(books, len(good))
        delivered_s = time.monotonic() - started_s
        await _check_held(client, base, bad)
        closing_s = time.monotonic()
        closed = await client.post(
            f"{base}/store-days/{DAY}~{STORE}/close", json={"reason": "Two wait for a decision."}
        )
        assert closed.status_code == 200, closed.text
        assert closed.json()["state"] == "posted", closed.json()
        await _until(books, len(good) + 1)
        booked_s = time.monotonic() - closing_s
    assert books.balances() == expected_of(good), "the journal is not what the tickets say"
    assert set(books.book.effects.values()) == {1}, "a ticket was booked twice"
    peaks = {name: _peak_mb(scene.fleet.pid(name)) for name in ("web", "worker", "scheduler")}
    return [
        Figure("wholeday.delivered", len(good), f"of {len(sold):,} tickets, {len(bad)} held"),
        Figure("wholeday.upload_s", uploaded_s, "s, until all records are durable"),
        Figure("wholeday.delivered_s", delivered_s, "s, upload to the last ticket in the books"),
        Figure("wholeday.booked_s", booked_s, "s, close by the API to the journal in the books"),
        *(Figure(f"wholeday.{name}_peak_mb", peak, "MB RSS, peak") for name, peak in peaks.items()),
    ]


async def _check_held(client: httpx2.AsyncClient, base: str, bad: list[Ticket]) -> None:
    """Each bad ticket waits alone and says its row, its field, why, how much and what to do."""
    answer = await client.get(f"{base}/exceptions")
    assert answer.status_code == 200, answer.text
    held: list[dict[str, Any]] = answer.json()["items"]
    assert len(held) == len(bad), held
    for each in held:
        detail = (await client.get(f"{base}/exceptions/{each['id']}")).json()
        assert detail["position"]["line"] > 1, detail
        assert detail["pointer"], detail
        assert detail["code"], detail
        assert detail["words"].endswith("."), detail


async def _until(books: BooksOfAccount, effects: int) -> None:
    async with asyncio.timeout(DELIVERED_AT_MOST_S):
        while len(books.book.effects) < effects:  # noqa: ASYNC110 - another process works
            await asyncio.sleep(LOOK_EVERY_S)


def peak_mb_of_this() -> float:
    """Give the peak of this process's memory so far (RSS, in megabytes)."""
    return _peak_mb(os.getpid())


def _peak_mb(pid: int) -> float:
    found = _PEAK.search(Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / KIB_PER_MB
