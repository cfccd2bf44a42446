"""Which trouble a request meets: decided by seed, key and try, whatever the order of arrival."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Literal

# none: all goes well; the others are named for what the caller sees.
Fault = Literal["none", "error", "throttled", "unavailable", "unauthorized", "lost", "hung"]

_STEPS = 2**64


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares from 0 to 1 of all requests; together at most 1. Nothing is applied but for `lost`.

    errors: 500. throttled: 429 with Retry-After. unavailable: 503 (1.0 is an outage).
    unauthorized: 401. lost: applied, then the connection closes without an answer.
    hang: not applied and never answered. `delay_ms` holds every answer back.
    """

    errors: float = 0.0
    throttled: float = 0.0
    unavailable: float = 0.0
    unauthorized: float = 0.0
    lost: float = 0.0
    hang: float = 0.0
    delay_ms: float = 0.0

    def __post_init__(self) -> None:
        shares = [getattr(self, name) for name, _ in _ORDER]
        if any(not 0 <= share <= 1 for share in shares) or sum(shares) > 1 + 1e-9:
            raise ValueError("Shares of faults are from 0 to 1 and at most 1 together.")
        if self.delay_ms < 0:
            raise ValueError("A delay cannot be negative.")

    def is_calm(self) -> bool:
        """Say whether no request meets any trouble."""
        return all(getattr(self, name) == 0 for name, _ in _ORDER)

    def meet(self, seed: int, key: str, try_number: int) -> Fault:
        """Decide what the n-th try of a key meets; the same every time for the same seed."""
        if self.is_calm():
            return "none"
        told = f"{seed}|{key}|{try_number}".encode()
        drawn = int.from_bytes(hashlib.blake2b(told, digest_size=8).digest()) / _STEPS
        for name, fault in _ORDER:
            drawn -= getattr(self, name)
            if drawn < 0:
                return fault
        return "none"


NAMES = tuple(field.name for field in fields(Faults))

_ORDER: tuple[tuple[str, Fault], ...] = (
    ("errors", "error"),
    ("throttled", "throttled"),
    ("unavailable", "unavailable"),
    ("unauthorized", "unauthorized"),
    ("lost", "lost"),
    ("hang", "hung"),
)
