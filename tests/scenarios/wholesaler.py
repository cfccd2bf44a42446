"""A retailer whose orders and stock come by API and go to a recording target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.catalog.http.emulator import Faults
from tests.scenarios.told import KeepingTarget
from tests.stage import Retailer, Stage

STOCK = "retail.stock.position.v1"
ORDER = "retail.order.placed.v1"


@dataclass(frozen=True)
class Wholesaler:
    """A retailer with one source and one target, and the flows that a scenario gives it."""

    stage: Stage
    retailer: Retailer
    target: KeepingTarget

    async def accept(self, *events: dict[str, Any]) -> None:
        await self.stage.accept(self.retailer, "source", *events)

    async def work(self, at_most_s: float = 20, **changes: Any) -> None:
        """Work until nothing is under way, or waits for a person."""
        async with self.stage.engine(**changes):
            await self.stage.rests(self.retailer, at_most_s)

    def down(self, **faults: float) -> None:
        """Let the target meet trouble from now on; without arguments it works again."""
        self.target.faults = Faults(**faults)

    def told(self) -> list[str]:
        """Give what reached the target: the subject and version of each event, in order."""
        events = self.target.events()
        return [f"{event['subject']} {event.get('objectversion', '')}" for event in events]

    async def deliveries(self) -> list[dict[str, Any]]:
        return await self.stage.rows(
            self.retailer,
            "select id, state, code, words, attempt_count, lane_hash, seq from delivery"
            " order by accepted_at, id",
        )

    async def states(self) -> dict[str, int]:
        """Count deliveries by state."""
        rows = await self.stage.rows(
            self.retailer, "select state, count(*) as count from delivery group by state"
        )
        return {row["state"]: row["count"] for row in rows}

    async def messages(self) -> list[tuple[str, str, str]]:
        """Give state, fate and code of every message, in order of acceptance."""
        rows = await self.stage.rows(
            self.retailer, "select state, fate, code from message order by accept_seq"
        )
        return [(row["state"], row["fate"], row["code"]) for row in rows]

    async def holds(self) -> list[dict[str, Any]]:
        return await self.stage.rows(
            self.retailer,
            "select id, code, pointer, words, label, amount, delivery_id from hold"
            " where state = 'open' order by id",
        )

    async def unaccounted(self) -> int:
        return (await self.stage.ledger(self.retailer)).unaccounted

    async def fates(self) -> dict[str, int]:
        return (await self.stage.ledger(self.retailer)).total.fates


async def open_wholesaler(
    stage: Stage, target: KeepingTarget, ordering: str = "strict", kind: str = ORDER
) -> Wholesaler:
    """Set the retailer up with one flow."""
    retailer = await stage.retailer()
    await stage.connect(retailer, "source", "http")
    await stage.connect(retailer, "target", "http", base_url=target.url)
    await stage.give_secret(retailer, "target", ["signing_secret"])
    await stage.flow(retailer, "source", "target", types=[kind], ordering=ordering)
    return Wholesaler(stage, retailer, target)


def stock_event(available: int, sku: str = "SKU-001") -> dict[str, Any]:
    """Write a stock position as a CloudEvent; later ones say more."""
    at = f"2026-11-20T10:{available // 60:02}:{available % 60:02}Z"
    return {
        "specversion": "1.0",
        "id": f"{sku}-{available}",
        "source": "source",
        "type": STOCK,
        "time": at,
        "objectversion": f"{available:04}",
        "data": {"sku": sku, "location": "main", "available": str(available), "as_of": at},
    }
