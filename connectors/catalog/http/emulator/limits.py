"""Vendors' rules about how fast they may be called, as they publish them, with the headers they send."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

NANOSECONDS = 1_000_000_000
MILLISECONDS = 1000

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A token bucket: calls per second, calls at once, and what the vendor says of it.

    `headers` gives the header fields of an answer from tokens left and the wall clock (seconds);
    `refusal` what a refused call gets beside them.
    """

    rate_per_s: float
    burst: float
    headers: Callable[[Rule, float, float], Headers]
    refusal: Callable[[Rule, float], Headers]
    body: bytes


def _amazon(rule: Rule, _left: float, _now_s: float) -> Headers:
    return (("x-amzn-RateLimit-Limit", f"{rule.rate_per_s:g}"),)


def _shopify(rule: Rule, left: float, _now_s: float) -> Headers:
    used = math.ceil(rule.burst - left)
    return (("X-Shopify-Shop-Api-Call-Limit", f"{used}/{rule.burst:g}"),)


def _shopify_refusal(rule: Rule, left: float) -> Headers:
    return (("Retry-After", f"{max(1.0, math.ceil((1 - left) / rule.rate_per_s)):.1f}"),)


def _walmart(rule: Rule, left: float, now_s: float) -> Headers:
    next_s = now_s + max(0.0, (1 - left) / rule.rate_per_s)
    return (
        ("X-Current-Token-Count", str(math.floor(left))),
        ("X-Next-Replenishment-Time", str(math.ceil(next_s * MILLISECONDS))),
        ("Date", formatdate(now_s, usegmt=True)),
    )


def _nothing(_rule: Rule, _left: float) -> Headers:
    return ()


RULES: dict[str, Rule] = {
    # https://developer-docs.amazon.com/sp-api/docs/usage-plans-and-rate-limits: the rate in every
    # answer, no Retry-After. patchListingsItem: 5 per second.
    "amazon": Rule(5.0, 10.0, _amazon, _nothing, b'{"errors":[{"code":"QuotaExceeded"}]}'),
    # https://shopify.dev/docs/api/admin-rest/usage/rate-limits: a bucket of 40 that leaks 2 a second.
    "shopify": Rule(2.0, 40.0, _shopify, _shopify_refusal, b'{"errors":"Exceeded 2 calls a second"}'),
    # https://developer.walmart.com/us-marketplace/docs/rate-limiting: tokens left, and when more come.
    "walmart": Rule(5.0, 20.0, _walmart, _nothing, b'{"errors":[{"code":"TOO_MANY_REQUESTS"}]}'),
}  # fmt: skip


class Limit:
    """One vendor's bucket for one credential, filled by the clock it is told (nanoseconds)."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._tokens = rule.burst
        self._filled_ns: int | None = None

    def take(self, now_ns: int) -> tuple[bool, Headers]:
        """Take one call; gives whether it is allowed, and the header fields of its answer."""
        rule = self.rule
        passed_s = (now_ns - (self._filled_ns or now_ns)) / NANOSECONDS
        self._tokens = min(rule.burst, self._tokens + max(0.0, passed_s) * rule.rate_per_s)
        self._filled_ns = now_ns
        is_allowed = self._tokens >= 1
        self._tokens -= is_allowed
        headers = rule.headers(rule, self._tokens, now_ns / NANOSECONDS)
        return is_allowed, headers if is_allowed else headers + rule.refusal(rule, self._tokens)
