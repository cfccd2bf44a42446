"""How tills and marketplaces tell what they sold: signed webhooks, repeated until they are taken."""

from __future__ import annotations

import asyncio
import json
import random
import time
from datetime import UTC, datetime
from typing import Any

import aiohttp

from connectors.sdk.signatures import sign_standard
from tests.benchmarks.oversell.real.plan import STORE, Adverse, Door

PRICE = "10.00"
REPEAT_S = 0.5
TIMEOUT_S = 5.0
AT_ONCE = 32


class Teller:
    """Brings events to the front door, with the troubles of the plan."""

    def __init__(self, adverse: Adverse, seed: int, began_s: float) -> None:
        self.unanswered = 0
        self._adverse = adverse
        self._chance = random.Random(f"{seed}|tell")  # noqa: S311 - repeatable
        self._began_s = began_s
        self._limit = asyncio.Semaphore(AT_ONCE)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))

    async def close(self) -> None:
        """End all calls."""
        await self._session.close()

    async def tell(self, door: Door, event: dict[str, Any], *, is_till: bool) -> None:
        """Tell one event until it is taken, once or twice, at once or later."""
        self.unanswered += 1
        await asyncio.sleep(self._wait_s(is_till=is_till))
        times = 2 if self._chance.random() < self._adverse.doubled else 1
        for _ in range(times):
            while not await self._post(door, event):  # noqa: ASYNC110 - another system answers
                await asyncio.sleep(REPEAT_S)
        self.unanswered -= 1

    def _wait_s(self, *, is_till: bool) -> float:
        adverse, drawn = self._adverse, self._chance.random()
        begins_s, ends_s, share = adverse.dark
        now_s = time.monotonic() - self._began_s
        if is_till and begins_s <= now_s < ends_s and self._chance.random() < share:
            return ends_s - now_s
        if drawn < adverse.lost:
            return adverse.sweep_s
        return self._chance.uniform(1, 5) if drawn < adverse.lost + adverse.late else 0.0

    async def _post(self, door: Door, event: dict[str, Any]) -> bool:
        body = json.dumps(event).encode()
        signed = sign_standard(door.secret, event["id"], int(time.time()), body)
        headers = {"content-type": "application/json", **signed}
        async with self._limit:
            try:
                async with self._session.post(door.url, data=body, headers=headers) as answer:
                    return answer.status < 300
            except (aiohttp.ClientError, TimeoutError):
                return False


def ticket(number: int, sku: str, at_ns: int) -> dict[str, Any]:
    """Write a till sale of one unit."""
    name = f"{STORE}-{number}"
    more = {
        "kind": "pos",
        "business_day": _moment(at_ns)[:10],
        "store": STORE,
        "workstation": str(number % 40),
        "sequence": str(number),
    }
    return _event("retail.till.sale.v1", f"t-{name}", name, sku, at_ns, more)


def order(channel: str, number: int, sku: str, at_ns: int) -> dict[str, Any]:
    """Write an order of one unit."""
    name = f"{channel}-{number}"
    found = _event("retail.order.placed.v1", f"o-{name}", name, sku, at_ns, {"kind": "web"})
    return found | {"objectversion": "1"}


def _event(
    kind: str, event_id: str, name: str, sku: str, at_ns: int, more: dict[str, Any]
) -> dict[str, Any]:
    line = {
        "line_id": "1",
        "sku": sku,
        "title": sku,
        "quantity": "1",
        "unit_price": PRICE,
        "net": PRICE,
        "gross": PRICE,
    }
    data = {
        "order_id": name,
        "number": name,
        "currency": "USD",
        "placed_at": _moment(at_ns),
        "total": PRICE,
        "lines": [line],
        **more,
    }
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "/street",
        "type": kind,
        "time": _moment(at_ns),
        "data": data,
    }


def _moment(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat()
