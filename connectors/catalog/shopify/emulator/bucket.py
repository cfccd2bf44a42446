"""Shopify's point bucket: what a call costs is taken, and comes back with time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Bucket:
    """A leaky bucket of points. Source: shopify.dev/docs/api/usage/limits, standard plan."""

    clock_s: Callable[[], float]
    maximum: float = 2000.0
    restore_per_s: float = 100.0
    level: float = field(init=False)
    seen_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.level = self.maximum
        self.seen_s = self.clock_s()

    def take(self, points: float) -> bool:
        """Take points if they are there; nothing is taken otherwise."""
        now_s = self.clock_s()
        self.level = min(self.maximum, self.level + (now_s - self.seen_s) * self.restore_per_s)
        self.seen_s = now_s
        if points > self.level:
            return False
        self.level -= points
        return True

    def told(self, points: float) -> dict[str, Any]:
        """Describe the bucket as the answer's `extensions` do."""
        return {
            "cost": {
                "requestedQueryCost": points,
                "actualQueryCost": points,
                "throttleStatus": {
                    "maximumAvailable": self.maximum,
                    "currentlyAvailable": self.level,
                    "restoreRate": self.restore_per_s,
                },
            }
        }
