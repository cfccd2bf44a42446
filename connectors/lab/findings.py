"""What a check finds: it holds, it fails because, or it does not apply because."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Holds:
    """The connector does what it must."""


@dataclass(frozen=True, slots=True)
class Fails:
    """It does not; the reason names the case and what happened."""

    reason: str


@dataclass(frozen=True, slots=True)
class DoesNotApply:
    """There is nothing to try, or nothing to try it with."""

    reason: str


Finding = Holds | Fails | DoesNotApply


def verdict(faults: Iterable[str]) -> Finding:
    """Turn the first fault of a check into its finding; none means that it holds."""
    first = next(iter(faults), None)
    return Holds() if first is None else Fails(first)
