"""How many quick lanes a process works on at one time: as many as it keeps up with.

Calls of quick targets cost processor time of this process. Beyond what it can do, each lane more only
makes every step of every other lane later. How late a step is shows how late a timer comes; by that
the number of lanes is found (additive increase, multiplicative decrease). Lanes that wait for a slow
target cost nothing and are not limited by this.
"""

from __future__ import annotations

import asyncio

from infra import clock

LOOK_EVERY_S = 0.05
# A step that comes this much late is too late: an event takes some fifteen of them on its way.
LATE_S = 0.01
LEAST_LANES = 16
MORE_LANES = 4
SHRINK_SHARE_0_1 = 0.75
# One late timer may be somebody else's doing; a running mean is ours.
NEWEST_SHARE = 0.3


class Lag:
    """Finds how many quick lanes a process keeps up with."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._late_s = 0.0
        self.lanes = most

    def note(self, late_s: float) -> None:
        """Take into account how late a timer came (seconds)."""
        self._late_s += NEWEST_SHARE * (late_s - self._late_s)
        if self._late_s > LATE_S:
            self.lanes = max(min(LEAST_LANES, self._most), int(self.lanes * SHRINK_SHARE_0_1))
        else:
            self.lanes = min(self._most, self.lanes + MORE_LANES)

    async def watch(self) -> None:
        """Look again and again until cancelled."""
        while True:
            due_s = clock.monotonic_s() + LOOK_EVERY_S
            await asyncio.sleep(LOOK_EVERY_S)
            self.note(max(0.0, clock.monotonic_s() - due_s))
