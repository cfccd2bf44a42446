"""The world of the model: 20,000 articles, four channels, delays and quotas; a seed decides all chance.

The figures are those of the specification's prototype: 200 articles hold 300 units each and take
35 % of demand; the others hold 40 on average. Quotas: Amazon's listings patch 5/s (published),
Walmart 10/s (assumed). Delays are lognormal, given by median and 99th percentile.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

POS, WEB, AMAZON, WALMART = range(4)
NAMES = ("tills", "web shop", "Amazon", "Walmart")
ONLINE = (WEB, AMAZON, WALMART)
# Updates a second; None is as many as one likes.
QUOTAS: dict[int, float | None] = {WEB: None, AMAZON: 5.0, WALMART: 10.0}
_Z99 = 2.3263478740408408


@dataclass(frozen=True, slots=True)
class World:
    """How large and how busy; `shares` of demand are of tills, web shop, Amazon and Walmart."""

    seed: int = 1
    skus: int = 20_000
    hot: int = 200
    hot_units: int = 300
    hot_share_0_1: float = 0.35
    tail_mean_units: float = 40.0
    sales_per_s: float = 40.0
    hours: float = 2.0
    shares: tuple[float, float, float, float] = (0.80, 0.12, 0.05, 0.03)
    pick_mean_s: float = 1200.0
    till_delay_s: tuple[float, float] = (0.6, 3.0)
    order_delay_s: tuple[float, float] = (1.0, 5.0)
    publish_delay_s: tuple[float, float] = (0.3, 1.5)

    def stock(self, chance: random.Random) -> list[int]:
        """Give the units of each article at the start; the first `hot` ones sell fastest."""
        tail = self.skus - self.hot
        return [self.hot_units] * self.hot + [
            math.floor(chance.expovariate(1 / self.tail_mean_units)) for _ in range(tail)
        ]


class Delay:
    """Lognormal delays with a given median and 99th percentile (seconds)."""

    def __init__(self, median_s: float, p99_s: float, chance: random.Random) -> None:
        self._mu = math.log(median_s)
        self._sigma = math.log(p99_s / median_s) / _Z99
        self._draw = chance.lognormvariate

    def __call__(self) -> float:
        """Draw one delay."""
        return self._draw(self._mu, self._sigma)
