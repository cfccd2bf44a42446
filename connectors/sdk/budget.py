"""What an answer tells about the budget: the spellings of limits that vendors send, read as one."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

# https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers: one item per policy,
# `q` quota, `w` window in seconds; `r` remaining, `t` seconds until there is more.
_POLICY, _STATE = "ratelimit-policy", "ratelimit"
_PARAMETER = re.compile(r";\s*([a-z]{1,8})=([0-9]{1,15})(?=\s*(?:;|$))")
# https://developer-docs.amazon.com/sp-api/docs/usage-plans-and-rate-limits, calls per second
_AMAZON = "x-amzn-ratelimit-limit"
# https://developer.walmart.com/us-marketplace/docs/rate-limiting: tokens left, and when more come
# (milliseconds since 1970).
_WALMART_LEFT, _WALMART_NEXT = "x-current-token-count", "x-next-replenishment-time"
# https://shopify.dev/docs/api/admin-rest/usage/rate-limits: `32/40`, used and size of the bucket
_SHOPIFY = "x-shopify-shop-api-call-limit"
MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class BudgetReport:
    """What a vendor said of the budget of one credential; None for what it did not say.

    `remaining`: what was left when it answered. `empty_for_s`: nothing goes before. `overpaid`: what
    the call cost less than it was charged for. `is_refused`: the call went over the limit, where the
    status of the answer does not say so.
    """

    rate_per_s: float | None = None
    burst: float | None = None
    remaining: float | None = None
    empty_for_s: float | None = None
    overpaid: float = 0.0
    is_refused: bool = False


def report_in(headers: Mapping[str, str]) -> BudgetReport | None:
    """Read the limits in an answer's headers (names in lower case); None when there are none."""
    if _STATE in headers or _POLICY in headers:
        return _standard(headers)
    if _AMAZON in headers:
        return BudgetReport(rate_per_s=_number(headers[_AMAZON]))
    if _WALMART_LEFT in headers:
        return _walmart(headers)
    used, divided, size = headers.get(_SHOPIFY, "").partition("/")
    if divided:
        return _bucket(_number(used), _number(size))
    return None


def _standard(headers: Mapping[str, str]) -> BudgetReport | None:
    """Take the tightest policy: the one with the least left; quotas are matched by their names."""
    policies = _items(headers.get(_POLICY, ""))
    states = _items(headers.get(_STATE, ""))
    name = min(states, key=lambda each: states[each].get("r", math.inf), default="")
    policy = policies.get(name) or min(policies.values(), key=_rate, default={})
    state = states.get(name, {})
    rate, remaining = _rate(policy), state.get("r")
    return BudgetReport(
        rate_per_s=rate if math.isfinite(rate) and rate > 0 else None,
        burst=policy.get("q"),
        remaining=remaining,
        empty_for_s=state.get("t") if remaining == 0 else None,
    )


def _items(field: str) -> dict[str, dict[str, float]]:
    found = {}
    for item in field[:4096].split(","):
        name = item.partition(";")[0].strip()
        found[name] = {key: float(value) for key, value in _PARAMETER.findall(item)}
    return found


def _rate(policy: Mapping[str, float]) -> float:
    return policy.get("q", math.inf) / max(1.0, policy.get("w", 1.0))


def _walmart(headers: Mapping[str, str]) -> BudgetReport:
    remaining = _number(headers[_WALMART_LEFT])
    next_ms, told_s = _number(headers.get(_WALMART_NEXT, "")), _told_at_s(headers)
    if remaining is None or remaining >= 1 or next_ms is None or told_s is None:
        return BudgetReport(remaining=remaining)
    return BudgetReport(remaining=0, empty_for_s=max(0.0, next_ms / MILLISECONDS - told_s))


def _told_at_s(headers: Mapping[str, str]) -> float | None:
    """Read the vendor's own clock: its moments are counted from there."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _bucket(used: float | None, size: float | None) -> BudgetReport | None:
    if used is None or not size:
        return None
    return BudgetReport(burst=size, remaining=max(0.0, size - used))


def _number(text: str) -> float | None:
    """Read a plain number of 0 or more; anything else is not believed."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
