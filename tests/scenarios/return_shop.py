"""A retailer whose returns run over five emulated systems; each keeps what it was told, for judges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from app.exceptions.give_up import give_up
from app.retail.returns.by_delivery import ByDelivery
from app.retail.returns.loop import ReturnLoop
from app.retail.returns.progress import Pace
from connectors.catalog.http.emulator import Recorder
from connectors.catalog.http.emulator.target import Reply
from tests.scenarios.told import KeepingTarget
from tests.stage import Retailer, Stage

D = Decimal
ORDER, REFUND = "retail.order.placed.v1", "retail.order.refunded.v1"
RETURN, MOVEMENT = "retail.return.told.v1", "retail.stock.movement.v1"
TICKET = "retail.till.sale.v1"
# Which system does which tasks of a return.
SYSTEMS: dict[str, tuple[str, ...]] = {
    "wms": ("number", "stock"),
    "psp": ("refund", "credit", "cash"),
    "erp": ("reversal",),
    "crm": ("points", "customer"),
    "history": ("history",),
}
# What was refused is asked again at once.
QUICK = Pace(lease_s=3.0, repeat_s=(0.05,))
_REFUSED = Reply(422, b'{"title":"Not like this."}')


@dataclass(slots=True)
class StepTarget(KeepingTarget):
    """Keeps steps of returns; refuses those named in `refuses`, so many times."""

    refuses: dict[str, int] = field(default_factory=dict)

    def take(self, headers: dict[str, str], body: bytes) -> Reply:
        data = msgspec.json.decode(body)["data"]
        name = data["task"]
        if data.get("paid"):
            name = f"{name}:{data['paid']['kind']}"
        if self.refuses.get(name, 0) > 0:
            self.refuses[name] -= 1
            return _REFUSED
        return KeepingTarget.take(self, headers, body)


@dataclass
class ReturnShop:
    """The retailer, its systems by name, and what a test tells and asks."""

    stage: Stage
    retailer: Retailer
    systems: dict[str, KeepingTarget] = field(default_factory=dict)

    async def tell(self, event_type: str, data: dict[str, Any], version: str = "1") -> None:
        """Let the shop tell something, as a signed sender would."""
        named = data.get("return_id") or data.get("refund_id") or data.get("movement_id")
        await self.stage.accept(
            self.retailer,
            "shop",
            {
                "specversion": "1.0",
                "id": f"{event_type}-{named or data['order_id']}-{version}",
                "source": "shop",
                "type": event_type,
                "time": "2026-11-20T10:00:00Z",
                "objectversion": version,
                "data": data,
            },
        )

    def effects(self, task: str) -> list[dict[str, Any]]:
        """Give the steps of one task that had an effect anywhere, in order."""
        told = [event["data"] for target in self.systems.values() for event in target.events()]
        return [data for data in told if data["task"] == task]

    def reversals(self) -> list[dict[str, Any]]:
        """Give what the books were told, in order."""
        return self.effects("reversal")

    def paid(self) -> dict[str, Decimal]:
        """Add up by tender what the payment systems paid back."""
        sums: dict[str, Decimal] = {}
        for data in (*self.effects("refund"), *self.effects("credit"), *self.effects("cash")):
            kind = data["paid"]["kind"]
            sums[kind] = sums.get(kind, D(0)) + D(data["paid"]["amount"])
        return sums

    def booked(self, prefix: str) -> Decimal:
        """Add up what the books hold under keys that begin so, in suspense or not.

        What clears suspense puts into one what it takes out of the other.
        """
        return sum(
            (
                D(each["amount"])
                for data in self.effects("reversal")
                if not data.get("clears")
                for each in data["postings"]
                if each["key"].startswith(prefix)
            ),
            D(0),
        )

    async def status(self) -> list[str]:
        rows = await self.stage.rows(
            self.retailer, "select status from return_process order by opened_at, id"
        )
        return [row["status"] for row in rows]

    async def ends(self, status: str = "closed_complete", at_most_s: float = 30) -> None:
        """Wait until every return of the retailer has come to this end."""
        sql = f"select coalesce(bool_and(status = '{status}'), false) from return_process"
        await self.stage.until(self.retailer, sql, True, at_most_s)

    async def waits_at(self, step: str, at_most_s: float = 30) -> None:
        """Wait until the only return is at this step."""
        await self.stage.until(self.retailer, "select step from return_process", step, at_most_s)

    async def asked(self, question: str, at_most_s: float = 30) -> dict[str, Any]:
        """Wait until a question is open, and give it."""
        where = f"question = '{question}' and decided_at is null and withdrawn_at is null"
        await self.stage.until(
            self.retailer,
            f"select count(*) from return_decision where {where}",
            1,
            at_most_s,
        )
        (row,) = await self.stage.rows(
            self.retailer,
            f"select return_id, question, subject, words from return_decision where {where}",
        )
        return row


@asynccontextmanager
async def a_return_shop(
    stage: Stage, *, without: tuple[str, ...] = (), refuses: dict[str, int] | None = None
) -> AsyncIterator[ReturnShop]:
    """Open a retailer with its systems; for tasks in `without` there is no flow."""
    retailer = await stage.retailer()
    shop = ReturnShop(stage, retailer)
    await stage.connect(retailer, "shop", "http")
    await stage.connect(retailer, "core", "core")
    async with AsyncExitStack() as stack:
        for name, tasks in SYSTEMS.items():
            target = StepTarget(refuses=refuses if refuses is not None else {})
            server = Recorder(target)
            await stack.enter_async_context(server)
            shop.systems[name] = target
            await stage.connect(retailer, name, "http", base_url=server.url)
            await stage.give_secret(retailer, name, ["signing_secret"])
            types = [f"retail.return.{task}_due.v1" for task in tasks if task not in without]
            if types:
                await stage.flow(retailer, "core", name, types=types)
        yield shop


@asynccontextmanager
async def returns_go_on(stage: Stage, workers: int = 1) -> AsyncIterator[None]:
    """Run the engine and the loop of returns, as so many workers do."""
    act = ByDelivery(stage.database, stage.vault, give_up, lambda: None)
    async with stage.engine(), asyncio.TaskGroup() as tasks:
        loops = [
            tasks.create_task(ReturnLoop(stage.database, stage.vault, act, 0.05, QUICK).run())
            for _ in range(workers)
        ]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()


def an_order(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A web order of three scarves, with tax, paid by gift card and card."""
    return {
        "order_id": f"o-{number}",
        "number": f"#{number}",
        "kind": "web",
        "currency": "USD",
        "placed_at": "2026-11-10T10:00:00+00:00",
        "total": "32.79",
        "lines": [
            {
                "line_id": "1", "sku": "SCARF", "title": "Scarf", "quantity": "3",
                "unit_price": "9.9966666667", "net": "29.99", "gross": "32.79",
                "taxes": [{"name": "State", "rate": "0.0934", "amount": "2.80"}],
            }
        ],
        "tenders": [
            {"kind": "gift_card", "name": "Gift", "amount": "5.00", "reference": "gc-1"},
            {"kind": "card", "name": "Visa", "amount": "27.79", "reference": "card-1"},
        ],
        **changes,
    }  # fmt: skip


def a_return(number: int = 1, quantity: str = "2", **changes: Any) -> dict[str, Any]:
    """A return to a store, received and judged at once."""
    line = {
        "line_id": "r1", "order_line_id": "1", "sku": "SCARF", "title": "Scarf",
        "requested": quantity, "received": quantity, "disposition": "restock",
        "restock_location": "store-1",
    }  # fmt: skip
    return {
        "return_id": f"r-{number}",
        "number": f"R-{number}",
        "kind": "in_store",
        "order_id": f"o-{number}",
        "currency": "USD",
        "initiated_at": "2026-11-20T10:00:00+00:00",
        "location": "store-1",
        "lines": [line | changes.pop("line", {})],
        **changes,
    }
