"""A retailer whose tills leave files, taken through the real pipeline; nothing is sent anywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest_asyncio

from app.intake.files import receive_file
from app.retail.breaks import Break, list_breaks
from app.retail.journals.close import take_and_look
from app.retail.journals.day_book import StoreDay, list_days
from app.retail.journals.read import list_journals
from app.retail.journals.take import Taken
from connectors.canonical.journal import Journal
from connectors.catalog.pos_files.emulator import Ticket, TillFleet, TillItem, as_text
from infra.database.pool import Database
from infra.database.unit import begin
from tests.scenarios.till_files import POSLOG, in_chunks
from tests.stage import Retailer, Stage, open_stage

DAY = date(2026, 11, 20)
ITEMS = tuple(
    TillItem(f"OWN-{n}", f"Own article {n}", Decimal(n * 7 + 3) / 4, is_taxed=n % 2 == 0)
    for n in range(1, 30)
)


@dataclass(slots=True)
class Shop:
    """A retailer with tills, and what tests do with it."""

    stage: Stage
    retailer: Retailer

    @property
    def tenant_id(self) -> Any:
        return self.retailer.tenant_id

    async def arrive(self, name: str, content: bytes) -> None:
        """Let a till file arrive and be read, record by record."""
        await receive_file(
            self.retailer.scope, self.stage.files, self.retailer.connections["tills"], name,
            in_chunks(content),
        )  # fmt: skip
        await self.prepare()

    async def prepare(self) -> None:
        """Read everything that came; the flow is paused, so nothing is sent."""
        async with self.stage.engine():
            await self.stage.until(
                self.retailer, "select count(*) from message where state = 'received'", 0, 120
            )

    async def look(self) -> Taken:
        """Take what was sold and look for gaps."""
        return await take_and_look(self.retailer.scope, self.stage.database, self.stage.vault)

    async def days(self) -> list[StoreDay]:
        async with begin(self.retailer.scope, self.stage.database) as session:
            return await list_days(session, self.tenant_id)

    async def breaks(self, kind: str = "", *, with_closed: bool = False) -> list[Break]:
        async with begin(self.retailer.scope, self.stage.database) as session:
            return await list_breaks(session, self.tenant_id, kind=kind, with_closed=with_closed)

    async def journals(self, kind: str = "") -> list[Journal]:
        async with begin(self.retailer.scope, self.stage.database) as session:
            return await list_journals(session, self.tenant_id, kind=kind)

    async def booked(self, kind: str = "sales_day") -> dict[str, Decimal]:
        """Sum all revisions up by `role/detail`, debit positive."""
        sums: dict[str, Decimal] = {}
        for journal in await self.journals(kind):
            for line in journal.lines:
                name = f"{line.role}/{line.detail}".rstrip("/")
                sums[name] = sums.get(name, Decimal(0)) + line.debit - line.credit
        return {name: amount for name, amount in sums.items() if amount}


def tickets(count: int, *, stores: tuple[str, ...] = ("12",), seed: int = 7) -> list[Ticket]:
    """Write a day of tickets, the same for the same seed; three tills a store."""
    fleet = TillFleet(seed=seed, items=ITEMS, stores=stores)
    opening = datetime.combine(DAY, datetime.min.time()).replace(hour=9)
    return list(islice(fleet.tickets(opening, 30_000 / (count + 1)), count))


def poslog(sold: Sequence[Ticket]) -> bytes:
    """Write tickets as one POSLog file."""
    return as_text(sold, "poslog_ncr").encode()


def expected(sold: Sequence[Ticket]) -> dict[str, Decimal]:
    """Reckon what is to be booked from the tickets as the tills know them, without our code."""
    sums: dict[str, Decimal] = {}

    def add(name: str, amount: Decimal) -> None:
        sums[name] = sums.get(name, Decimal(0)) + amount

    for ticket in sold:
        goods = sum((line.amount for line in ticket.lines), Decimal(0))
        add("returns" if ticket.is_return else "revenue", -goods)
        add("tax_payable/Sales tax", -ticket.tax)
        add("tender_clearing/cash" if ticket.is_cash else "tender_clearing/card", ticket.total)
    return {name: amount for name, amount in sums.items() if amount}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def open_shop(stage: Stage) -> Shop:
    """Make a retailer with till files and a paused flow."""
    retailer = await stage.retailer()
    await stage.connect(retailer, "tills", "pos_files", **POSLOG)
    await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
    await stage.flow(retailer, "tills", "target", types=["retail.till.sale.v1"])
    await stage.write(retailer, "update flow set is_paused = true")
    return Shop(stage, retailer)


@pytest_asyncio.fixture
async def shop(stage: Stage) -> Shop:
    return await open_shop(stage)
