"""Invariants of canonical objects by name: a rule, how grave its breach is, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from connectors.canonical.order_checks import Breach, Severity

T = TypeVar("T")

# (JSON pointer into the object, plain words); nothing when the rule holds.
Found = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Rule(Generic[T]):
    """One invariant: an error keeps the object back, a warning lets it pass and is told."""

    name: str
    severity: Severity
    check: Callable[[T], Found]


def broken_rules(thing: T, rules: Iterable[Rule[T]]) -> list[Breach]:
    """Give every rule that an object breaks, in the order of the rules."""
    return [
        Breach(rule.name, rule.severity, pointer, words)
        for rule in rules
        for pointer, words in rule.check(thing)
    ]
