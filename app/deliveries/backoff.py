"""When to try again: the schedule in seconds, jitter, and the bounds of a target's own wish."""

from __future__ import annotations

import random

# 12 retries over 85.7 h, longer than Standard Webhooks' example (75.6 h) and Stripe's (72 h).
SCHEDULE_S = (5, 30, 120, 600, 1800, 7200, 18000, 36000, 36000, 50400, 72000, 86400)
JITTER = 0.2
RETRY_AFTER_MIN_S = 1.0
RETRY_AFTER_MAX_S = 3600.0
NOT_YET_S = 60.0  # something else must come first; does not use up the schedule
NOT_YET_MAX_S = 86_400.0


def next_try_s(
    attempt: int, after_s: float | None, *, scale: float = 1.0, rng: random.Random
) -> float | None:
    """Give the seconds until the next try after `attempt` tries; None when the schedule is used up.

    A target's own wish is honoured between one second and one hour, never shortened by ours.
    `scale` divides the schedule for tests and demos.
    """
    if attempt > len(SCHEDULE_S):
        return None
    delay = SCHEDULE_S[attempt - 1] / scale * rng.uniform(1 - JITTER, 1 + JITTER)
    if after_s is None:
        return delay
    wish = min(max(after_s, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S)
    return max(delay, wish) if scale == 1.0 else max(delay, min(wish, after_s))
