"""Clients: each sends its lanes' versions in order, and repeats one event until it is answered 2xx."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from connectors.sdk.signatures import sign_standard
from tests.chaos.caller import Caller, NoAnswer
from tests.chaos.plan import Plan
from tests.chaos.told import ClientLog, Told
from tests.chaos.world import ORDERS, Shop

PAUSE_S = (0.02, 0.2)
# Refusals that say "again later"; any other 4xx would tell a real sender to give up.
PATIENCE = frozenset({408, 409, 425, 429})
NO_ANSWER = "no answer"


@dataclass(slots=True)
class Crowd:
    """All clients of one run; `answers` counts what they were told."""

    plan: Plan
    shops: list[Shop]
    port: int
    log: ClientLog
    answers: Counter[str] = field(default_factory=Counter)

    async def send_all(self) -> None:
        """Send every event of the plan until it is accepted."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self.plan.clients):
                tasks.create_task(self._client(number))

    def refusals(self) -> int:
        """Count answers that told a client to give up although its event was good."""
        return sum(
            count
            for told, count in self.answers.items()
            if told.startswith("4") and int(told) not in PATIENCE
        )

    async def _client(self, number: int) -> None:
        caller = Caller(self.port)
        rng = random.Random(self.plan.seed * 1000 + number)  # noqa: S311 - repeatable by seed
        shop = self.shops[self.plan.tenant_of(number)]
        pending = {lane: list(self.plan.versions(lane)) for lane in self.plan.lanes_of(number)}
        while pending:
            for lane in list(pending):
                version = pending[lane].pop(0)
                await self._until_accepted(caller, rng, shop, number, lane, version)
                if not pending[lane]:
                    del pending[lane]
        caller.close()

    async def _until_accepted(
        self, caller: Caller, rng: random.Random, shop: Shop, number: int, lane: str, version: int
    ) -> None:
        body = event_body(lane, version)
        self.log.write(Told("sent", lane, version, time.time_ns(), 0))
        tries = 0
        while True:
            tries += 1
            status = await self._try(caller, shop, number, f"{lane}-{version}", body)
            if 200 <= status < 300:
                self.log.write(Told("acked", lane, version, time.time_ns(), tries, status))
                return
            await asyncio.sleep(rng.uniform(*PAUSE_S))

    async def _try(
        self, caller: Caller, shop: Shop, number: int, event_id: str, body: bytes
    ) -> int:
        headers = {"content-type": "application/json"}
        if self.plan.uses_hook(number):
            path = shop.hook_path
            headers |= sign_standard(shop.secret, event_id, int(time.time()), body)
        else:
            path = "/v1/events"
            headers["authorization"] = f"Bearer {shop.api_key}"
        try:
            status = await caller.post(path, headers, body)
        except NoAnswer:
            self.answers[NO_ANSWER] += 1
            return 0
        self.answers[str(status)] += 1
        return status


def event_body(lane: str, version: int) -> bytes:
    """Write one order of a lane as a CloudEvent; its later versions are changes."""
    kind = "placed" if version == 1 else "changed"
    total = f"{version}.00"
    event = {
        "specversion": "1.0",
        "id": f"{lane}-{version}",
        "source": ORDERS,
        "type": f"retail.order.{kind}.v1",
        "time": "2026-11-20T10:00:00Z",
        "objectversion": str(version),
        "data": {
            "order_id": lane,
            "number": lane,
            "kind": "web",
            "currency": "USD",
            "placed_at": "2026-11-20T10:00:00+00:00",
            "total": total,
            "lines": [
                {
                    "line_id": "1",
                    "sku": "SKU-001",
                    "title": "Scarf",
                    "quantity": "1",
                    "unit_price": total,
                    "net": total,
                    "gross": total,
                }
            ],
        },
    }
    return json.dumps(event).encode()
