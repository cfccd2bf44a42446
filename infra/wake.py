"""A wake-up that may come from any thread: waiting ends when it rings or when time is up."""

from __future__ import annotations

import asyncio
import random

SPREAD = 0.2  # several workers should not look at the same moment


class Wake:
    """One loop's alarm clock; rings that come while nobody waits are remembered once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rng = random.Random()  # noqa: S311 - spreading, not secrecy

    def set(self) -> None:
        """Ring from within the loop."""
        self._event.set()

    def set_from_thread(self) -> None:
        """Ring from another thread; before the first wait it does nothing, the poll follows."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, at_most_s: float) -> None:
        """Wait for a ring, or about `at_most_s` seconds (plus or minus a fifth)."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(at_most_s * self._rng.uniform(1 - SPREAD, 1 + SPREAD)):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()
