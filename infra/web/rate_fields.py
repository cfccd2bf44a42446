"""RateLimit and RateLimit-Policy: tell a client its quota before it runs into it.

Source: draft-ietf-httpapi-ratelimit-headers (the form since revision 08: structured fields, one
item per policy; `q` quota, `w` window in seconds, `r` remaining, `t` seconds until more is there).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Structured field integers have at most 15 digits (RFC 9651, section 3.3.1).
_MAX_INTEGER = 999_999_999_999_999
_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")


@dataclass(frozen=True, slots=True)
class RatePolicy:
    """A quota: how many requests (`quota`) within `window_s` seconds, under a short name."""

    name: str
    quota: int
    window_s: int


@dataclass(frozen=True, slots=True)
class RateState:
    """What is left of a policy now, and in how many whole seconds it is full again."""

    policy: RatePolicy
    remaining: int
    resets_after_s: int


def rate_headers(states: Sequence[RateState]) -> list[tuple[bytes, bytes]]:
    """Write both fields for the policies that apply, the tightest first; none without policies."""
    if not states:
        return []
    policies = ", ".join(policy_item(state.policy) for state in states)
    limits = ", ".join(limit_item(state) for state in states)
    return [
        (b"ratelimit-policy", policies.encode("ascii")),
        (b"ratelimit", limits.encode("ascii")),
    ]


def policy_item(policy: RatePolicy) -> str:
    """Write one policy: `"hooks";q=100;w=60`."""
    return f"{_name(policy)};q={_integer(policy.quota)};w={_integer(policy.window_s)}"


def limit_item(state: RateState) -> str:
    """Write what is left of one policy: `"hooks";r=50;t=30`."""
    remaining, resets = _integer(state.remaining), _integer(state.resets_after_s)
    return f"{_name(state.policy)};r={remaining};t={resets}"


def _name(policy: RatePolicy) -> str:
    if not _NAME.fullmatch(policy.name):
        raise ValueError(f"a policy name has letters, digits and _.:/- only: {policy.name!r}")
    return f'"{policy.name}"'


def _integer(number: int) -> int:
    return min(max(number, 0), _MAX_INTEGER)
