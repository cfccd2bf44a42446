"""Process memory of configuration for hot paths: bounded, and never older than a stated age."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from infra.clock import monotonic_s

# A changed setting or a revoked hook counts at the latest after this time.
FRESH_S = 2.0
MAX_ENTRIES = 4_096

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class FreshMemory(Generic[_K, _V]):
    """Values by key, each loaded at most once at a time and again when older than `fresh_s` seconds.

    The least recently used value goes when `max_entries` are held. A load that fails is not kept.
    """

    def __init__(
        self,
        load: Callable[[_K], Awaitable[_V]],
        *,
        fresh_s: float = FRESH_S,
        max_entries: int = MAX_ENTRIES,
        clock_s: Callable[[], float] = monotonic_s,
    ) -> None:
        self._load = load
        self._fresh_s = fresh_s
        self._max_entries = max_entries
        self._clock_s = clock_s
        self._held: OrderedDict[_K, tuple[float, _V]] = OrderedDict()
        self._loading: dict[_K, asyncio.Lock] = {}

    async def get(self, key: _K, *, not_before_s: float = -math.inf) -> _V:
        """Give the value, loading it when it is missing or too old; raises what the load raises.

        Whoever knows of a change says since when (`not_before_s`, in monotonic seconds): what was read
        before that is too old, however young.
        """
        held = self._fresh(key, not_before_s)
        if held is not None:
            return held[1]
        lock = self._loading.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                held = self._fresh(key, not_before_s)
                return held[1] if held is not None else await self._loaded(key)
        finally:
            self._loading.pop(key, None)

    def forget(self, key: _K) -> None:
        """Drop one value, so that the next `get` loads it; for changes made by this very process."""
        self._held.pop(key, None)

    def _fresh(self, key: _K, not_before_s: float) -> tuple[float, _V] | None:
        held = self._held.get(key)
        if held is None or self._clock_s() - held[0] >= self._fresh_s or held[0] < not_before_s:
            return None
        self._held.move_to_end(key)
        return held

    async def _loaded(self, key: _K) -> _V:
        # The age counts from before the load: what was read may have changed while it was read.
        asked_s = self._clock_s()
        value = await self._load(key)
        self._held[key] = (asked_s, value)
        self._held.move_to_end(key)
        while len(self._held) > self._max_entries:
            self._held.popitem(last=False)
        return value
