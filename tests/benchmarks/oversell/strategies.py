"""The ways to publish stock that are compared: what retailers do today, and what the product does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Publishing = Literal["batch", "each_event", "once_per_sku", "by_risk"]


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way: `publishing`, how often in batches (seconds), and what else is done.

    `has_quotas`: marketplaces take a few updates a second. `reserves`: the own web shop asks before
    it accepts. `safety`: units kept back everywhere.
    """

    letter: str
    title: str
    publishing: Publishing
    every_s: float = 0.0
    has_quotas: bool = True
    reserves: bool = False
    safety: int = 0


_E = Strategy("E", "events, once per SKU, riskiest first", "by_risk")

STRATEGIES: tuple[Strategy, ...] = (
    Strategy("A", "files every 30 min", "batch", 1800.0, has_quotas=False),
    Strategy("A2", "files every 15 min", "batch", 900.0, has_quotas=False),
    Strategy("B", "files every 5 min", "batch", 300.0, has_quotas=False),
    Strategy("C", "events, first come first sent", "each_event"),
    Strategy("D", "events, once per SKU", "once_per_sku"),
    _E,
    replace(_E, letter="F", title="E and the web shop reserves", reserves=True),
    replace(_E, letter="G", title="F and one unit kept back", reserves=True, safety=1),
    replace(_E, letter="K", title="E without any quota", has_quotas=False),
)
BY_LETTER = {strategy.letter: strategy for strategy in STRATEGIES}
