"""How many quick lanes a process works on at one time: as few as keep it busy.

Calls of quick targets cost processor time of this process. Once it is busy all the time, a lane more
makes no call earlier and every step of every other lane later. How busy it is, is how long it ran or
waited for a processor; by that the number of lanes is found (additive increase, multiplicative
decrease). Lanes that wait for a slow target cost nothing and are not limited by this.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from infra import clock

LOOK_EVERY_S = 0.05
# Busier than this, more lanes only wait for each other.
BUSY_SHARE_0_1 = 0.85
LEAST_LANES = 24
MORE_LANES = 4
SHRINK_SHARE_0_1 = 0.75
USED_SHARE_0_1 = 0.7
# One busy moment is no strain; a running mean is.
NEWEST_SHARE = 0.3
# Linux: nanoseconds that the first thread ran, that it waited for a processor, and how often.
_SCHEDULE = Path("/proc/self/schedstat")
_NANOSECONDS = 1_000_000_000


class Strain:
    """Finds how many quick lanes keep a process busy."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._busy_0_1 = 0.0
        # Few at first: what the first calls cost is not known yet.
        self.lanes = min(LEAST_LANES, most)

    def note(self, busy_0_1: float, in_use: int) -> None:
        """Take into account which share of the last moment the process was busy, with how many lanes.

        More lanes than are in use are not given: a flood would have them all before it was measured.
        """
        self._busy_0_1 += NEWEST_SHARE * (busy_0_1 - self._busy_0_1)
        if self._busy_0_1 > BUSY_SHARE_0_1:
            self.lanes = max(min(LEAST_LANES, self._most), int(self.lanes * SHRINK_SHARE_0_1))
        elif in_use >= self.lanes * USED_SHARE_0_1:
            self.lanes = min(self._most, self.lanes + MORE_LANES)

    async def watch(self, in_use: Callable[[], int]) -> None:
        """Look again and again until cancelled; `in_use` counts the lanes worked on."""
        began_s, busy_s = clock.monotonic_s(), _busy_s()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now_s, so_far_s = clock.monotonic_s(), _busy_s()
            self.note((so_far_s - busy_s) / max(now_s - began_s, LOOK_EVERY_S / 2), in_use())
            began_s, busy_s = now_s, so_far_s


def _busy_s() -> float:
    """Give for how long the event loop's thread ran or would have run, had there been a processor."""
    try:
        ran_ns, waited_ns, _ = _SCHEDULE.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return time.process_time()  # no Linux, or a kernel without these figures
    return (int(ran_ns) + int(waited_ns)) / _NANOSECONDS
