"""What one event costs when many wait, and when there are many retailers."""

from __future__ import annotations

from tests.benchmarks.deliver import AT_MOST_S, WARM_EFFECTS, rate_between
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import open_scene, until_effects
from tests.benchmarks.seed import seed_waiting
from tests.chaos.world import World, open_shops


async def measure_growth(
    world: World, waiting: tuple[int, int], tenants: tuple[int, ...], first: int
) -> list[Figure]:
    """Measure the rate of the first deliveries with few and many waiting, few and many retailers.

    Takes: how many wait, few and many; numbers of retailers in rising order; how many deliveries to
           look at.
    """
    few, many = waiting
    usual = tenants[1]
    rates = {count: await _rate(world, few, count, first) for count in tenants}
    rate_many = await _rate(world, many, usual, first)
    return [
        Figure(f"growth.waiting_{few}.rate", rates[usual], "events/s"),
        Figure(f"growth.waiting_{many}.rate", rate_many, "events/s"),
        Figure("growth.cost_many_waiting", rates[usual] / rate_many, f"times the cost at {few}"),
        *[Figure(f"growth.tenants_{n}.rate", rate, "events/s") for n, rate in rates.items()],
        Figure(
            "growth.cost_many_tenants",
            rates[usual] / rates[tenants[-1]],
            f"times the cost with {usual}",
        ),
    ]


async def _rate(world: World, waiting: int, tenants: int, first: int) -> float:
    async with open_scene(world, f"growth_{waiting}_{tenants}") as scene:
        shops = await open_shops(scene.world, scene.database, tenants)
        await seed_waiting(scene, shops, waiting)
        scene.start_target()
        await scene.start_worker()
        last = min(first, waiting)
        await until_effects(scene.target_log, last, AT_MOST_S)
        return rate_between(scene, WARM_EFFECTS, last)
