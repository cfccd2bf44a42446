"""The riskiest stock goes out first: what a channel shows too much of, before all other news.

A channel takes a handful of updates a second, and a busy hour makes ten times as many. Sent in the
order in which they came, or once per article, the article that sells out waits behind thousands
that do not matter. So each channel has one queue, ordered by how soon its article can be oversold,
and the value is read when it is sent.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

# An update that lowers nothing below what is sold, of an article with plenty left, can wait.
PLENTY_UNITS = 20
_LAST = float("inf")


def risk(target: int, shown: int) -> float:
    """Rank one update, least first: `target` is what may be shown, `shown` what the channel shows.

    What is sold out but still shown goes first (0). Else fewer units left for each unit shown too
    much is more urgent: with 2 left and 5 shown (0.67) before 90 left and 100 shown (9). Updates that
    show no more than may be shown follow, those with plenty left at the very end.
    """
    too_much = shown - target
    if too_much > 0:
        return target / too_much
    if target > PLENTY_UNITS:
        return _LAST
    # Shown too little: a sale may be missed, nothing is oversold.
    return PLENTY_UNITS * 2.0 + target


@dataclass(slots=True)
class RiskQueue(Generic[K]):
    """One channel's waiting updates by article: the riskiest first, each article at most once.

    A risk that rises moves the article forward; one that falls leaves it where it is until it is
    drawn (then its present risk decides again). Articles of the same risk keep their order.
    """

    _heap: list[tuple[float, int, K]] = field(default_factory=list)
    _best: dict[K, float] = field(default_factory=dict)
    _count: int = 0

    def __len__(self) -> int:
        return len(self._best)

    def __contains__(self, key: K) -> bool:
        return key in self._best

    def put(self, key: K, rank: float) -> None:
        """Let an article wait with this risk, or move it forward when its risk has risen."""
        known = self._best.get(key)
        if known is not None and known <= rank:
            return
        self._best[key] = rank
        self._count += 1
        heapq.heappush(self._heap, (rank, self._count, key))

    def take(self) -> K | None:
        """Take the riskiest article; None when nothing waits."""
        while self._heap:
            rank, _, key = heapq.heappop(self._heap)
            if self._best.get(key) == rank:
                del self._best[key]
                return key
        return None
