"""The queue of one channel: the riskiest article first, by what is known of it now."""

from __future__ import annotations

from app.retail.inventory.risk import RiskQueue
from app.retail.publishing.waiting import Waiting


class Lineup:
    """Articles that wait, each once; one whose risk has fallen is lined up again where it belongs."""

    def __init__(self) -> None:
        self._queue: RiskQueue[str] = RiskQueue()
        self._now: dict[str, Waiting] = {}
        self._queued_rank: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._now)

    def put(self, waiting: Waiting) -> None:
        """Let an article wait, or take over what is news about it."""
        sku, rank = waiting.sku, waiting.rank
        self._now[sku] = waiting
        if sku not in self._queue or rank < self._queued_rank[sku]:
            self._queued_rank[sku] = rank
            self._queue.put(sku, rank)

    def take(self) -> str | None:
        """Take the riskiest article; None when nothing waits."""
        while (sku := self._queue.take()) is not None:
            waiting, queued_rank = self._now.pop(sku), self._queued_rank.pop(sku)
            if waiting.rank <= queued_rank:
                return sku
            self.put(waiting)
        return None
