"""Figures of several seeds for one strategy, and what must be said with every one of them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import fmean

from tests.benchmarks.oversell.model import Outcome, run
from tests.benchmarks.oversell.strategies import Strategy
from tests.benchmarks.oversell.world import World

CAVEATS = (
    "A model, not the running system: synthetic demand, pooled stock, no substitution of stores.",
    "Few oversells are left in E, F, G and K: their figures vary by half from seed to seed.",
    "Batches (A, A2, B) go out at once and without quotas, which flatters them.",
    "Amazon's 5 updates a second are published; Walmart's 10 are assumed.",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """What one strategy came to: every seed's outcome, in the order of `seeds`."""

    strategy: Strategy
    seeds: tuple[int, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def oversold_per_10k(self) -> float:
        """Give the mean of all seeds."""
        return fmean(each.oversold_per_10k for each in self.outcomes)

    @property
    def spread(self) -> tuple[float, float]:
        """Give the least and the largest of all seeds."""
        rates = [each.oversold_per_10k for each in self.outcomes]
        return min(rates), max(rates)

    @property
    def stolen_per_10k(self) -> float:
        """Give the mean of promised units that walk-ins took."""
        return fmean(each.stolen_per_10k for each in self.outcomes)

    @property
    def lost_share_0_1(self) -> float:
        """Give the mean share of online demand refused although there was stock."""
        return fmean(each.lost_share_0_1 for each in self.outcomes)


def measure(strategies: Sequence[Strategy], seeds: Sequence[int], world: World) -> list[Figure]:
    """Run every strategy with every seed, on all processors."""
    plan = [(strategy, _seeded(world, seed)) for strategy in strategies for seed in seeds]
    with ProcessPoolExecutor() as pool:
        outcomes = list(pool.map(_run, plan))
    count = len(seeds)
    return [
        Figure(strategy, tuple(seeds), tuple(outcomes[place * count : (place + 1) * count]))
        for place, strategy in enumerate(strategies)
    ]


def as_json(figure: Figure) -> dict[str, object]:
    """Give a figure as plain data, for whoever compares runs."""
    return {
        "strategy": figure.strategy.letter,
        "title": figure.strategy.title,
        "seeds": figure.seeds,
        "oversold_per_10k": round(figure.oversold_per_10k, 3),
        "oversold": [each.oversold for each in figure.outcomes],
        "sales": [each.sales for each in figure.outcomes],
        "stolen_per_10k": round(figure.stolen_per_10k, 1),
        "lost_share_0_1": round(figure.lost_share_0_1, 5),
        "exposed_unit_s": [round(each.exposed_unit_s) for each in figure.outcomes],
        "longest_queue": [each.longest_queue for each in figure.outcomes],
        "sent": [each.sent for each in figure.outcomes],
    }


def _seeded(world: World, seed: int) -> World:
    return World(seed=seed, sales_per_s=world.sales_per_s, hours=world.hours, skus=world.skus)


def _run(planned: tuple[Strategy, World]) -> Outcome:
    return run(planned[1], planned[0])
