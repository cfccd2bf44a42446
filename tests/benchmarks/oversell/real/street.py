"""The street: tills, channels and customers of one run, in a process of their own.

Run with a plan (JSON) on standard input; says `open` when all channels listen, begins when it is told
to, and says `over` when the time of the plan has passed.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from heapq import heappop, heappush
from pathlib import Path

import msgspec
import uvicorn

from connectors.catalog.http.emulator import Faults, Recorder
from connectors.catalog.http.emulator.limits import RULES, Limit
from connectors.catalog.shopify.emulator import ShopState, app
from connectors.catalog.shopify.emulator.bucket import Bucket
from connectors.catalog.shopify.emulator.orders import sell
from connectors.catalog.shopify.emulator.state import LOCATION_GID
from tests.benchmarks.oversell.real.channel import Channel, Line, Log
from tests.benchmarks.oversell.real.plan import (
    AMAZON,
    QUOTAS,
    TILL,
    WALMART,
    WEB,
    Plan,
    name_of,
)
from tests.benchmarks.oversell.real.told import Teller, order, ticket

# The limits emulator knows the header fields of both vendors.
VENDORS = {AMAZON: "amazon", WALMART: "walmart"}
ACCESS_TOKEN = "street-access-token"
REFUSING = Faults(throttled=0.5, unavailable=0.5)


class Street:
    """Everything outside of the product: who sells, who buys, and their logs."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        folder = Path(plan.folder)
        stock = plan.stock()
        self.shelf = dict(stock)
        self.tills = Log(folder / "tills.jsonl")
        self.channels = {
            name: Channel(
                limit=Limit(
                    replace(RULES[vendor], rate_per_s=QUOTAS[name].per_s, burst=QUOTAS[name].burst)
                ),
                shown=dict(stock),
                log=Log(folder / f"{name}.jsonl"),
            )
            for name, vendor in VENDORS.items()
        }
        self.shop = _shop(plan, stock)
        self._chance = random.Random(f"{plan.seed}|demand")  # noqa: S311 - repeatable
        self._picking = random.Random(f"{plan.seed}|picks")  # noqa: S311 - repeatable
        self._picks: list[tuple[float, str]] = []
        self._count = 0

    async def run(self) -> None:
        """Open all channels, wait for the word, let customers buy, and stay open for the drain."""
        plan = self.plan
        config = uvicorn.Config(
            app(self.shop), port=plan.ports[WEB], log_level="critical", lifespan="on"
        )
        server = uvicorn.Server(config)
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
            for name, channel in self.channels.items():
                await stack.enter_async_context(Recorder(channel, port=plan.ports[name]))
            serving = tasks.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.01)
            _say("open")
            await asyncio.to_thread(sys.stdin.readline)
            teller = Teller(plan.adverse, plan.seed, time.monotonic())
            refusing = tasks.create_task(self._refuse())
            await self._sell(teller, tasks)
            _say("sold")
            await asyncio.sleep(plan.drain_s)
            refusing.cancel()
            await teller.close()
            server.should_exit = True
            await serving
        for log in (self.tills, *(channel.log for channel in self.channels.values())):
            log.close()
        _say("over")

    async def _sell(self, teller: Teller, tasks: asyncio.TaskGroup) -> None:
        """Let customers come evenly; one that is late because of us is not forgotten."""
        plan = self.plan
        began_s = time.monotonic()
        for number in range(int(plan.lines_per_s * plan.seconds)):
            wait_s = began_s + number / plan.lines_per_s - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self._pick()
            self._customer(teller, tasks)

    def _customer(self, teller: Teller, tasks: asyncio.TaskGroup) -> None:
        plan, chance = self.plan, self._chance
        is_hot = chance.random() < plan.hot_share_0_1
        number = chance.randrange(plan.hot) if is_hot else chance.randrange(plan.hot, plan.skus)
        (where,) = chance.choices((TILL, WEB, AMAZON, WALMART), plan.shares)
        sku = name_of(number)
        self._count += 1
        if where == TILL:
            if self._sold_at_till(sku):
                told = ticket(self._count, sku, self.tills.lines[-1].at_ns)
                tasks.create_task(teller.tell(plan.doors[TILL], told, is_till=True))
        elif where == WEB:
            self._sold_at_shop(sku)
        else:
            channel = self.channels[where]
            if channel.buy(sku, f"{where}-{self._count}"):
                told = order(where, self._count, sku, channel.log.lines[-1].at_ns)
                tasks.create_task(teller.tell(plan.doors[where], told, is_till=False))
                self._pick_later(sku)

    def _sold_at_till(self, sku: str) -> bool:
        is_there = self.shelf[sku] > 0
        self.shelf[sku] -= is_there
        kind = "sold" if is_there else "refused"
        self.tills.write(Line(kind, time.time_ns(), sku, int(is_there)))
        return is_there

    def _sold_at_shop(self, sku: str) -> None:
        article = self.shop.articles[sku]
        if self.shop.available[article.item_gid, LOCATION_GID] <= 0:
            self.shop.note("turned_away", sku=sku)
            return
        sell(self.shop, [(article, 1)])
        self._pick_later(sku)

    def _pick_later(self, sku: str) -> None:
        """Let a promised unit be taken off the shelf some time later."""
        wait_s = self._picking.expovariate(1 / self.plan.pick_mean_s)
        heappush(self._picks, (time.monotonic() + wait_s, sku))

    def _pick(self) -> None:
        """Take what is to be picked by now, if it is still there."""
        while self._picks and self._picks[0][0] <= time.monotonic():
            _, sku = heappop(self._picks)
            self.shelf[sku] -= self.shelf[sku] > 0

    async def _refuse(self) -> None:
        """Let Amazon refuse for a while."""
        begins_s, ends_s = self.plan.adverse.refusing
        if ends_s <= begins_s:
            return
        await asyncio.sleep(begins_s)
        self.channels[AMAZON].faults = REFUSING
        await asyncio.sleep(ends_s - begins_s)
        self.channels[AMAZON].faults = Faults()


def _shop(plan: Plan, stock: dict[str, int]) -> ShopState:
    quota = QUOTAS[WEB]
    # Ten points for each update: as many points as it takes.
    bucket = Bucket(time.monotonic, quota.burst * 10, quota.per_s * 10)
    state = ShopState(
        seed=plan.seed,
        article_count=plan.skus,
        access_token=ACCESS_TOKEN,
        webhook_secret=plan.doors[WEB].secret,
        hook_url=plan.doors[WEB].url,
        log_path=Path(plan.folder) / "web.jsonl",
        bucket=bucket,
    )
    for sku, units in stock.items():
        state.available[state.articles[sku].item_gid, LOCATION_GID] = units
    return state


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    """Read the plan and play it."""
    plan = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    asyncio.run(Street(plan).run())


if __name__ == "__main__":
    main()
