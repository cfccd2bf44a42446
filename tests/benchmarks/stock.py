"""How many articles a second the keeper folds, and how long a buyer waits for a reservation."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from dataclasses import replace
from decimal import Decimal

from app.retail.inventory.keeper import keep_batch
from app.retail.inventory.reservations import Wish, reserve
from app.retail.inventory.rules import NewRule, mark_all_due, put_rule
from infra.database.unit import begin
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import open_scene
from tests.chaos.world import World
from tests.stage import MASTER_KEY, Retailer, Stage, open_stage

FACTS_EACH = 12
PLACES = 3
CHANNELS = 4
BUYERS = 1_000
AT_ONCE = 4

_FACTS = """
insert into stock_fact (tenant_id, sku, source_key, telling, kind, quantity, from_location, from_state,
    to_location, to_state, occurred_at, stated_at, connection_id)
select $1, 'A-' || a, 'f/' || n, decode(md5(a || '/' || n), 'hex'),
    case when n < $5 then 'count' else 'movement' end, case when n < $5 then 50 else 1 end,
    case when n < $5 then '' else 'place-' || n % $5 end, case when n < $5 then '' else 'available' end,
    case when n < $5 then 'place-' || n else 'customer' end, 'available',
    now() - interval '1 day' + n * interval '1 minute',
    now() - interval '1 day' + n * interval '1 minute', $2
from generate_series(1, $3) as a, generate_series(0, $4 - 1) as n
"""
_DUE = """
insert into stock_due (tenant_id, sku, occurred_at) select $1, 'A-' || a, now()
from generate_series(1, $2) as a
"""


async def measure_stock(world: World, articles: int) -> list[Figure]:
    """Fold all articles from nothing, then again after a change of a rule, then reserve."""
    mine = replace(world, master_key=MASTER_KEY)
    async with open_scene(mine, "stock") as scene, open_stage(scene.database) as stage:
        retailer = await _retailer(stage, articles)
        first_s = await _keep_all(stage, retailer)
        async with begin(retailer.scope, stage.database) as session:
            await mark_all_due(session, retailer.tenant_id)
        again_s = await _keep_all(stage, retailer)
        took_ms = await _reserve_many(stage, retailer, articles)
    words = f"articles a second, {FACTS_EACH} facts each, {CHANNELS} channels"
    buyers = f"ms, {AT_ONCE} buyers at once"
    return [
        Figure("stock.first_fold_per_s", articles / first_s, words),
        Figure("stock.fold_again_per_s", articles / again_s, words),
        Figure("stock.reservation_p50_ms", statistics.median(took_ms), buyers),
        Figure("stock.reservation_p99_ms", statistics.quantiles(took_ms, n=100)[98], buyers),
    ]


async def _retailer(stage: Stage, articles: int) -> Retailer:
    retailer = await stage.retailer()
    source = await stage.connect(retailer, "wms", "http")
    async with begin(retailer.scope, stage.database) as session:
        await session.execute(_FACTS, retailer.tenant_id, source, articles, FACTS_EACH, PLACES)
        await session.execute(_DUE, retailer.tenant_id, articles)
    for number in range(CHANNELS):
        channel = await stage.connect(retailer, f"channel-{number}", "http")
        async with begin(retailer.scope, stage.database) as session:
            await put_rule(session, channel, "", NewRule(safety_units=number))
    return retailer


async def _keep_all(stage: Stage, retailer: Retailer) -> float:
    """Work on all that is due; gives how long that took (seconds)."""
    began_s = time.perf_counter()
    while (await keep_batch(retailer.scope, stage.database)).articles:
        pass
    return time.perf_counter() - began_s


async def _reserve_many(stage: Stage, retailer: Retailer, articles: int) -> list[float]:
    """Let some buyers reserve one after the other; gives how long each waited (ms)."""
    channel = retailer.connections["channel-0"]
    chance = random.Random(1)  # noqa: S311 - a repeatable order, no secret
    numbers = iter(range(BUYERS))
    took_ms: list[float] = []

    async def buy() -> None:
        for number in numbers:
            wish = Wish(channel, f"k-{number}", f"A-{chance.randint(1, articles)}", Decimal(1))
            began_s = time.perf_counter()
            async with begin(retailer.scope, stage.database) as session:
                await reserve(session, wish)
            took_ms.append((time.perf_counter() - began_s) * 1_000)

    await asyncio.gather(*(buy() for _ in range(AT_ONCE)))
    return took_ms
