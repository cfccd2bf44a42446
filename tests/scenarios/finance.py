"""A retailer with tills and a marketplace, whose journals go to emulated books of account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from app.intake.files import receive_file
from app.retail.journals.audit import Declared
from app.retail.journals.close import ClosedDay, close_day
from app.retail.journals.rule_book import publish_rules
from app.retail.journals.rules import PostingRules
from app.retail.settlements.keep import take_due
from app.retail.settlements.take import TakenSettlement
from app.retail.voice import core_connection
from connectors.catalog.http.emulator import Recorder, Target
from connectors.catalog.http.emulator.target import Reply
from connectors.catalog.pos_files.emulator import Ticket, as_text
from infra.database.unit import begin
from tests.stage import Retailer, Stage

JOURNAL, SALE = "retail.journal.posted.v1", "retail.till.sale.v1"
ACCOUNTS = {
    "revenue": "4000", "returns": "4090", "tax_payable": "2200", "tender_clearing/cash": "1010",
    "tender_clearing": "1020", "over_short": "6900", "marketplace_receivable": "1200",
    "marketplace_tax": "2210", "fees_expense": "6100", "settlement_suspense": "1999",
    "cash_in_transit": "1090", "reserve_receivable": "1290", "customer_receivable": "1100",
    "rounding": "6990", "suspense": "1998", "tender_suspense": "1997",
}  # fmt: skip


@dataclass(slots=True)
class BooksOfAccount(Target):
    """Emulated books: keep every journal that they book, and take none into a closed period.

    Judges read `booked`: the journals as they came, without the product's own types.
    """

    url: str = ""
    closed_until: str = ""
    booked: list[dict[str, Any]] = field(default_factory=list)

    def take(self, headers: dict[str, str], body: bytes) -> Reply:
        """Refuse what is posted into a closed period, book everything else once by its key."""
        told = msgspec.json.decode(body)
        if told["type"] == JOURNAL and told["data"]["posted_on"] <= self.closed_until:
            return _CLOSED
        known = len(self.book.effects)
        reply = Target.take(self, headers, body)
        if len(self.book.effects) > known and told["type"] == JOURNAL:
            self.booked.append(told["data"])
        return reply

    def balances(self, *kinds: str) -> dict[str, Decimal]:
        """Add all journals up by `role/detail`, debit positive; of all kinds when none is named."""
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for journal in self.booked:
            if not kinds or journal["kind"] in kinds:
                for line in journal["lines"]:
                    name = f"{line['role']}/{line.get('detail', '')}".rstrip("/")
                    sums[name] += Decimal(line.get("debit", "0")) - Decimal(line.get("credit", "0"))
        return {name: amount for name, amount in sums.items() if amount}

    def revisions(self) -> list[tuple[str, int]]:
        """Name what was booked, in order: place and revision."""
        return [(journal["place"], journal["revision"]) for journal in self.booked]


_CLOSED = Reply(422, b'{"title":"The period is closed.","errors":[{"pointer":"/data/posted_on"}]}')


@dataclass(frozen=True)
class FinanceShop:
    """The retailer, and what happens to it."""

    stage: Stage
    retailer: Retailer
    books: BooksOfAccount

    async def arrive(self, connection: str, name: str, content: bytes) -> None:
        """Let a file arrive."""
        await receive_file(
            self.retailer.scope,
            self.stage.files,
            self.retailer.connections[connection],
            name,
            _once(content),
        )

    async def run(self, at_most_s: float = 60) -> None:
        """Work until nothing is under way, or waits for a person."""
        async with self.stage.engine():
            await self.stage.rests(self.retailer, at_most_s)

    async def sell(self, name: str, sold: Sequence[Ticket]) -> None:
        """Let tickets arrive as one file and be read."""
        await self.arrive("tills", name, as_text(sold, "poslog_ncr").encode())
        await self.run()

    async def close(
        self, place: str, day: date, declared: Declared | None = None, reason: str = ""
    ) -> ClosedDay:
        """Close a day, and let what follows from it go out."""
        stage = self.stage
        closed = await close_day(
            self.retailer.scope, stage.database, stage.vault, place, day, declared, reason
        )
        await self.run()
        return closed

    async def settle(self) -> list[TakenSettlement]:
        """Do the scheduler's duty: take what is due, and let what follows from it go out."""
        stage = self.stage
        taken = await take_due(self.retailer.scope, stage.database, stage.vault)
        await self.run()
        return taken

    async def publish(self, **rules: Any) -> tuple[int, int]:
        """Publish posting rules, with all accounts unless said otherwise."""
        stage = self.stage
        wanted = PostingRules.model_validate({"accounts": ACCOUNTS, **rules})
        return await publish_rules(self.retailer.scope, stage.database, stage.vault, wanted)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def books_of_account() -> tuple[BooksOfAccount, Recorder]:
    """Make emulated books and the server in front of them."""
    books = BooksOfAccount()
    return books, Recorder(books)


async def open_finance_shop(stage: Stage, books: BooksOfAccount) -> FinanceShop:
    """Set everything up; rules are published by the test."""
    retailer = await stage.retailer()
    tills = {"dialect": "poslog_ncr", "timezone": "America/New_York", "currency": "USD"}
    await stage.connect(retailer, "tills", "pos_files", **tills)
    await stage.connect(retailer, "amazon", "http")
    await stage.connect(retailer, "payouts", "settlement_files", marketplace="amazon.com")
    await stage.connect(retailer, "erp", "http", base_url=books.url, words_field="/title")
    await stage.give_secret(retailer, "erp", ["signing_secret"])
    async with begin(retailer.scope, stage.database) as session:
        retailer.connections["core"] = await core_connection(session)
    await stage.flow(retailer, "tills", "erp", types=[SALE])
    await stage.flow(retailer, "amazon", "erp")
    await stage.flow(retailer, "core", "erp", types=[JOURNAL], class_=3)
    return FinanceShop(stage, retailer, books)
