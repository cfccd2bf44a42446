"""When to try again: the schedules in seconds, jitter, and the bounds of a target's own wish."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from itertools import accumulate, takewhile

DAY_S = 86_400
# 12 retries over 85.7 h, longer than Standard Webhooks' example (75.6 h) and Stripe's (72 h).
SCHEDULE_S = (5, 30, 120, 600, 1800, 7200, 18000, 36000, 36000, 50400, 72000, 86400)
# An order is wanted within the minute that its target is back: for an hour a try every minute or
# two, then as all others.
CRITICAL_S = (5, 15, 30, *(60,) * 10, *(120,) * 24, *SCHEDULE_S[5:])
# Nobody waits for it; a target in trouble is left to what matters more.
BULK_S = (60, 600, 3600, 14_400, 43_200, DAY_S, DAY_S, DAY_S)
# For targets that may be away for a fortnight (a stock-taking, a move of the warehouse).
LONG_S = (*SCHEDULE_S, *(DAY_S,) * 10)
SCHEDULES: Mapping[str, tuple[int, ...]] = {
    "standard": SCHEDULE_S,
    "critical": CRITICAL_S,
    "bulk": BULK_S,
    "long": LONG_S,
}
HORIZON_MAX_S = 14 * DAY_S
JITTER = 0.2
RETRY_AFTER_MIN_S = 1.0
RETRY_AFTER_MAX_S = 3600.0
NOT_YET_S = 60.0  # something else must come first; does not use up the schedule
NOT_YET_MAX_S = float(DAY_S)


@cache
def delays_s(schedule: str, horizon_s: float | None = None) -> tuple[int, ...]:
    """Give the waits of a schedule up to a horizon in seconds; its last one repeats to fill it.

    Without a horizon the schedule is as long as it is, and never longer than a fortnight.
    """
    steps = SCHEDULES[schedule]
    end_s = min(sum(steps) if horizon_s is None else horizon_s, HORIZON_MAX_S)
    repeated = (*steps, *(steps[-1],) * (1 + HORIZON_MAX_S // steps[-1]))
    fitting = takewhile(lambda spent_s: spent_s <= end_s, accumulate(repeated))
    return repeated[: sum(1 for _ in fitting)]


def next_try_s(
    attempt: int,
    after_s: float | None,
    *,
    schedule: str = "standard",
    horizon_s: float | None = None,
    scale: float = 1.0,
    rng: random.Random,
) -> float | None:
    """Give the seconds until the next try after `attempt` tries; None when the schedule is used up.

    A target's own wish is honoured between one second and one hour, never shortened by ours.
    `scale` divides the schedule for tests and demos.
    """
    delays = delays_s(schedule, horizon_s)
    if attempt > len(delays):
        return None
    delay = delays[attempt - 1] / scale * rng.uniform(1 - JITTER, 1 + JITTER)
    if after_s is None:
        return delay
    wish = min(max(after_s, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S)
    return max(delay, wish) if scale == 1.0 else max(delay, min(wish, after_s))
