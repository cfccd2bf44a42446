"""How long the kills were felt: the longest silence after each kill, by kind, in seconds."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from tests.chaos.judge import NANOSECONDS

# A silence belongs to a kill when it begins at most this long after it.
FELT_WITHIN_S = 1.0


def silences(
    kills: Iterable[tuple[str, int]], moments_ns: Sequence[int]
) -> dict[str, dict[str, float]]:
    """Give median and worst silence by kind of kill.

    Takes: kills as (victim, wall clock in ns), and the moments in ns, in order, at which something
           was accepted (or delivered). Kills after the last moment are left out.
    """
    found: defaultdict[str, list[float]] = defaultdict(list)
    for victim, at_ns in kills:
        silence_s = _longest(at_ns, moments_ns)
        if silence_s is not None:
            found[victim.partition("-")[0]].append(silence_s)
    return {
        kind: {"median": round(median(values), 2), "worst": round(max(values), 2)}
        for kind, values in sorted(found.items())
    }


def _longest(at_ns: int, moments_ns: Sequence[int]) -> float | None:
    first = bisect.bisect_left(moments_ns, at_ns)
    last = bisect.bisect_right(moments_ns, at_ns + int(FELT_WITHIN_S * NANOSECONDS))
    if first >= len(moments_ns):
        return None
    before = [at_ns, *moments_ns[first:last]]
    gaps = [
        after - begun
        for begun, after in zip(before, moments_ns[first : first + len(before)], strict=False)
    ]
    return max(gaps) / NANOSECONDS
