"""CEL expressions in overrides: compiled once, bounded in size, bounded in work before they run.

The library has no time limit of its own, so the work is counted beforehand. It copies what it is
given, and a list that a macro builds once for each element: `lines.map(a, lines.map(b, ...))` over
1,000 lines took 48 s (common-expression-language 0.10.0, measured).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import cel

EXPRESSION_MAX = 1_000
# One unit is about 45 ns; so one event takes 0.1 s at the most.
MOST_WORK = 2_000_000
_COPY = 20
MOST_MACROS = 2
RESULT_MAX = 2_000

# What an expression may name: the event's head and body, the object that has the field, its value.
NAMES = frozenset({"head", "body", "item", "value"})
# What a rule may call. Others are told when the rule is written, not when the first record fails.
FUNCTIONS = frozenset(
    {
        *("bool", "contains", "double", "dyn", "endsWith", "int", "matches", "max", "min"),
        *("size", "startsWith", "string", "timestamp", "type", "uint"),
    }
)
# Faults of a computation, in words that quote no value of the record.
_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (KeyError, "It names a field that this event does not have; ask with has(...) first."),
    (IndexError, "It names an element that this list does not have."),
    (ZeroDivisionError, "It divides by zero."),
    (OverflowError, "A number is too large."),
    (
        TypeError,
        "Two values do not go together; convert with string(...), int(...) or double(...).",
    ),
    (ValueError, "A value cannot be converted."),
)
_MACRO = re.compile(r"\.\s*(?:map|filter|all|exists|exists_one)\s*\(")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Plain = str | int | bool | None


class ExpressionFault(Exception):
    """An expression that cannot be used, or that failed on one event; `str()` is words."""


class WorkLeft:
    """How much the expressions of one event may still do."""

    def __init__(self) -> None:
        self._left = MOST_WORK

    def take(self, work: int) -> None:
        """Count work; raises ExpressionFault when it is too much."""
        self._left -= work
        if self._left < 0:
            raise ExpressionFault(
                "Too much to compute for one record. Use `item` and `value` in place of `body`, or a"
                " lookup table."
            )


class Expression:
    """One compiled expression; raises ExpressionFault when it is not CEL or names what is not there."""

    def __init__(self, source: str) -> None:
        if len(source) > EXPRESSION_MAX:
            raise ExpressionFault(f"An expression has at most {EXPRESSION_MAX} characters.")
        try:
            self._program = cel.compile(source)
        except Exception as fault:  # noqa: BLE001 - the library raises whatever its parser meets
            first, *_ = str(fault).splitlines() or [""]
            raise ExpressionFault(f"This is no expression. {first}"[:300]) from None
        self._words = frozenset(_WORD.findall(source))
        self._macros = len(_MACRO.findall(source))
        # Lists written in the expression itself, and lists joined to longer ones.
        self._written = source.count(",") + 1
        self._joined = source.count("+") + 1
        if self._macros > MOST_MACROS:
            raise ExpressionFault(f"At most {MOST_MACROS} of map, filter, all and exists.")
        self._known = NAMES & self._words
        self._refuse_unknown(source)

    def result(self, scope: Mapping[str, Any], work: WorkLeft) -> Plain:
        """Compute the value for one field; raises ExpressionFault."""
        given = {name: self._trimmed(scope[name]) for name in self._known}
        longest = max((_longest(value) for value in given.values()), default=1)
        longest = max(longest, self._written) * self._joined
        nodes = sum(_nodes(value) for value in given.values())
        work.take(_COPY * nodes + (longest ** (self._macros + 1) if self._macros else 0))
        try:
            found = self._program.execute(given)
        except Exception as fault:  # noqa: BLE001 - one record's trouble, in whatever class it comes
            raise ExpressionFault(_words_of(fault)) from None
        return _plain(found)

    def is_true(self, scope: Mapping[str, Any], work: WorkLeft) -> bool:
        """Compute a condition; raises ExpressionFault when it is neither true nor false."""
        found = self.result(scope, work)
        if not isinstance(found, bool):
            raise ExpressionFault("A condition must be true or false.")
        return found

    def _refuse_unknown(self, source: str) -> None:
        bound = set(re.findall(r"\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*,", source))
        named = set(self._program.variables())
        unknown = sorted(named - NAMES - bound)
        if unknown:
            raise ExpressionFault(
                f"{unknown[0]} is not known here. There are head, body, item and value."
            )
        called = {name for name in self._program.functions() if name.isidentifier()}
        uncallable = sorted(name for name in called - FUNCTIONS if not name.startswith("_"))
        if uncallable:
            raise ExpressionFault(f"There is no function {uncallable[0]} here.")

    def _trimmed(self, value: Any) -> Any:
        """Leave out lists and objects that are not named: copying them costs more than computing."""
        if not isinstance(value, dict):
            return value
        return {
            name: inner
            for name, inner in value.items()
            if name in self._words or not isinstance(inner, list | dict)
        }


def _plain(value: object) -> Plain:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float | Decimal):
        raise ExpressionFault(
            "The result is a number with a fraction, which is not exact. Give it as text."
        )
    if value is not None and not isinstance(value, str | int | bool):
        raise ExpressionFault("The result must be text, a whole number, true, false or null.")
    if isinstance(value, str) and len(value) > RESULT_MAX:
        raise ExpressionFault(f"The result has more than {RESULT_MAX} characters.")
    return value


def _longest(value: object) -> int:
    if isinstance(value, dict):
        return max((len(value), *map(_longest, value.values())), default=1)
    if isinstance(value, list):
        return max((len(value), *map(_longest, value)), default=1)
    return 1


def _nodes(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_nodes, value.values()))
    if isinstance(value, list):
        return 1 + sum(map(_nodes, value))
    return 1


def _words_of(fault: Exception) -> str:
    known = (words for kind, words in _FAULTS if isinstance(fault, kind))
    return next(known, "It could not be computed for this event.")
