"""The watchdog: a worker whose loop stands still ends itself, and its work goes to another.

Code that spins in Python, in C with the interpreter's lock held, or that sleeps in the loop cannot be
interrupted from inside. The timer of faulthandler is a thread that needs no lock: it writes where each
thread stands (files, lines, function names; never a value) and ends the process, which then counts as
a crash of the record that was at hand.
"""

from __future__ import annotations

import asyncio
import faulthandler
import sys

# The loop must come round this many times within the limit.
ROUNDS = 8
# A stalled worker is gone before its leases end, whatever is set.
SHARE_OF_LEASE = 2 / 3


def limit_of(watchdog_s: float, lease_s: float) -> float:
    """Give the longest standstill allowed in seconds; 0 is no watchdog."""
    return min(watchdog_s, lease_s * SHARE_OF_LEASE)


async def keep_watch(limit_s: float) -> None:
    """End this process when its loop stands still for `limit_s` seconds; watches until cancelled."""
    if not limit_s:
        return
    try:
        while True:
            faulthandler.dump_traceback_later(limit_s, exit=True, file=sys.stderr)
            await asyncio.sleep(limit_s / ROUNDS)
    finally:
        faulthandler.cancel_dump_traceback_later()
