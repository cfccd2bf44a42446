"""A whole store day: 14,000 tickets with two bad ones, from sale records to journals, exactly."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from app.intake.files import receive_file
from app.retail.journals.read import list_journals
from connectors.catalog.pos_files.emulator import Ticket, TillFleet, TillItem, as_text
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import Scene, open_scene
from tests.chaos.fleet import ROOT
from tests.chaos.world import World
from tests.stage import MASTER_KEY, Retailer, Stage, open_stage

DAY = date(2026, 11, 20)
STORE = "12"
# 14,000 tickets in eleven hours are two a minute at each of a dozen tills.
TILLS = 12
CHUNK_BYTES = 65_536
KIB_PER_MB = 1_000_000 / 1024
PREPARED_AT_MOST_S = 600.0
_POSLOG = {"dialect": "poslog_ncr", "timezone": "America/New_York", "currency": "USD"}
_TOTAL = b'GrandAmount">'
# A process begins with the peak of the one that forked it, so a small one stands between.
_TELL_PEAK = (
    "import resource, subprocess, sys;"
    " code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode;"
    " print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
)


async def measure_storeday(world: World, tickets: int) -> list[Figure]:
    """Measure taking and closing the day of one store; fails when a cent is off."""
    sold = tickets_of(tickets)
    bad = bad_of(sold)
    async with (
        open_scene(world, f"storeday_{tickets}") as scene,
        open_stage(scene.database) as stage,
    ):
        retailer = await _open_shop(stage)
        prepare_s = await _arrive(stage, retailer, with_bad(sold, bad))
        name = await _name(stage, retailer)
        took = await _command(scene, "list", name)
        closed = await _command(scene, "close", name, STORE, str(DAY), "--reason", "Two wait.")
        records = await stage.rows(retailer, "select count(*) as count from sale_record")
        async with begin(retailer.scope, scene.database) as session:
            journals = await list_journals(session, retailer.tenant_id)
        gaps = await _gaps(stage, retailer)
    booked: dict[str, Decimal] = {}
    for journal in journals:
        for line in journal.lines:
            name = f"{line.role}/{line.detail}".rstrip("/")
            booked[name] = booked.get(name, Decimal(0)) + line.debit - line.credit
    good = [ticket for ticket in sold if ticket not in bad]
    assert booked == expected_of(good), "the journal is not what the tickets say"
    assert gaps == sorted(f"{STORE}/{DAY}/{each.workstation}/{each.sequence}" for each in bad)
    assert records[0]["count"] == tickets - 2
    return [
        Figure("storeday.records", tickets - 2, f"of {tickets:,} tickets, 2 held"),
        Figure("storeday.prepare_s", prepare_s, "s, file to events"),
        Figure("storeday.take_s", took.wall_s, "s, events to sale records, as a command"),
        Figure("storeday.close_s", closed.wall_s, "s, audit and journal, as a command"),
        Figure("storeday.take_peak_mb", took.peak_mb, "MB RSS, peak"),
        Figure("storeday.close_peak_mb", closed.peak_mb, "MB RSS, peak"),
    ]


@dataclass(frozen=True, slots=True)
class _Ran:
    wall_s: float
    peak_mb: float


async def _command(scene: Scene, *arguments: str) -> _Ran:
    """Run `tillwire storeday` in a process of its own; gives how long it took and its peak."""
    environment = {**os.environ, **scene.world.environment()}
    # The master key of the stage, under which the events were sealed.
    environment["TILLWIRE_MASTER_KEY"] = base64.b64encode(MASTER_KEY).decode()
    command = [sys.executable, "-c", _TELL_PEAK, sys.executable, "main.py", "storeday", *arguments]
    started_s = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, (arguments, process.returncode)
    return _Ran(time.monotonic() - started_s, int(told) / KIB_PER_MB)


async def _name(stage: Stage, retailer: Retailer) -> str:
    async with begin(OperatorScope("bench"), stage.database) as session:
        name: str = await session.fetch_value(
            "select p.slug || '/' || t.slug from tenant t join partner p on p.id = t.partner_id"
            " where t.id = $1",
            retailer.tenant_id,
        )
    return name


async def _gaps(stage: Stage, retailer: Retailer) -> list[str]:
    rows = await stage.rows(retailer, "select key from break where kind = 'sequence_gap'")
    return sorted(row["key"] for row in rows)


def tickets_of(count: int) -> list[Ticket]:
    """Write a day of tickets of one store, the same ones always."""
    items = [
        TillItem(f"OWN-{n}", f"Own article {n}", Decimal(n * 7 + 3) / 4, is_taxed=n % 2 == 0)
        for n in range(1, 30)
    ]
    fleet = TillFleet(seed=20261127, items=items, stores=(STORE,), tills_per_store=TILLS)
    opening = datetime.combine(DAY, datetime.min.time()).replace(hour=9)
    return list(islice(fleet.tickets(opening, 40_000 / (count + 1)), count))


def bad_of(sold: list[Ticket]) -> list[Ticket]:
    """Choose the two tickets whose totals are spoiled."""
    return [sold[len(sold) // 3], sold[len(sold) // 2]]


def with_bad(sold: list[Ticket], bad: list[Ticket]) -> bytes:
    """Write all tickets as one POSLog file, some with a total that their lines do not come to."""
    content = as_text(sold, "poslog_ncr").encode()
    for ticket in bad:
        piece = as_text([ticket], "poslog_ncr").encode().split(b"\n")[1]
        assert content.count(piece) == 1
        content = content.replace(piece, piece.replace(_TOTAL, _TOTAL + b"9", 1))
    return content


async def _open_shop(stage: Stage) -> Retailer:
    retailer = await stage.retailer()
    await stage.connect(retailer, "tills", "pos_files", **_POSLOG)
    await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
    await stage.flow(retailer, "tills", "target", types=["retail.till.sale.v1"])
    # What is measured is the book, not a target.
    await stage.write(retailer, "update flow set is_paused = true")
    return retailer


async def _arrive(stage: Stage, retailer: Retailer, content: bytes) -> float:
    started_s = time.monotonic()
    connection = retailer.connections["tills"]
    async with _prepared(stage, retailer):
        await receive_file(retailer.scope, stage.files, connection, "day.xml", _chunks(content))
    return time.monotonic() - started_s


@asynccontextmanager
async def _prepared(stage: Stage, retailer: Retailer) -> AsyncIterator[None]:
    async with stage.engine():
        yield
        waiting = "select count(*) from message where state = 'received'"
        await stage.until(retailer, waiting, 0, PREPARED_AT_MOST_S)


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]


def expected_of(sold: list[Ticket]) -> dict[str, Decimal]:
    """Reckon what is to be booked from what the tills know, without the code under test."""
    sums: dict[str, Decimal] = {}
    for ticket in sold:
        goods = sum((line.amount for line in ticket.lines), Decimal(0))
        for name, amount in (
            ("returns" if ticket.is_return else "revenue", -goods),
            ("tax_payable/Sales tax", -ticket.tax),
            ("tender_clearing/cash" if ticket.is_cash else "tender_clearing/card", ticket.total),
        ):
            sums[name] = sums.get(name, Decimal(0)) + amount
    return {name: amount for name, amount in sums.items() if amount}
