"""Bring docs/guides/errors-and-retries.md up to date: `python -m tests.architecture.policy_table`.

Each table of the guide stands between `<!-- name -->` and `<!-- end -->` and is written from the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from app.deliveries.backoff import SCHEDULES, delays_s
from app.deliveries.policy import BY_CLASS, DEFAULT_RULES, judge
from connectors.registry import manifest, names
from connectors.sdk.errors import ErrorRule
from tests.architecture.sources import ROOT

GUIDE = Path("docs/guides/errors-and-retries.md")
CLASS_NAMES = {
    0: "orders, payments, returns",
    1: "stock and fulfilment",
    2: "prices",
    3: "bulk",
}
_TABLE = re.compile(r"<!-- (\w+) -->\n.*?<!-- end -->", re.DOTALL)
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def updated(page: str) -> str:
    """Give the page with every table as the code has it."""
    return _TABLE.sub(lambda found: _written(found[1]), page)


def _written(name: str) -> str:
    rows = "\n".join(f"| {' | '.join(row)} |" for row in _TABLES[name]())
    return f"<!-- {name} -->\n\n{rows}\n\n<!-- end -->"


def _schedules() -> Iterator[tuple[str, ...]]:
    yield "Schedule", "Waits between tries", "Tries", "Lasts"
    yield "---", "---", "---", "---"
    for name in SCHEDULES:
        delays = delays_s(name)
        waits = ", ".join(
            _time(wait) if count == 1 else f"{count} times {_time(wait)}"
            for wait, count in ((wait, len(list(same))) for wait, same in groupby(delays))
        )
        yield f"`{name}`", waits, str(len(delays) + 1), f"{sum(delays) / 3600:.1f} h"


def _classes() -> Iterator[tuple[str, ...]]:
    yield "Class of the flow", "What it carries", "Schedule"
    yield "---", "---", "---"
    for number, schedule in BY_CLASS.items():
        yield str(number), CLASS_NAMES[number], f"`{schedule}`"


def _answers() -> Iterator[tuple[str, ...]]:
    yield "Answer", "Class", "Schedule", "Who acts"
    yield "---", "---", "---", "---"
    yield from _rows(rule for rule in DEFAULT_RULES if rule.outcome and not rule.code)


def _statuses() -> Iterator[tuple[str, ...]]:
    yield "Status", "Class", "Schedule", "Who acts"
    yield "---", "---", "---", "---"
    found = [rule for rule in DEFAULT_RULES if rule.status is not None and not rule.code]
    for (error_class, who), same in groupby(found, lambda rule: (rule.error_class, rule.who)):
        listed = ", ".join(str(rule.status) for rule in same)
        yield listed, f"`{error_class}`", "as the kind of answer", _people(who)


def _codes() -> Iterator[tuple[str, ...]]:
    yield "Code", "Class", "Schedule", "Who acts"
    yield "---", "---", "---", "---"
    coded = [rule for rule in DEFAULT_RULES if rule.code]
    for _, same in groupby(coded, lambda rule: (rule.error_class, rule.schedule, rule.who)):
        alike = list(same)
        (_, *rest) = next(_rows(iter(alike)))
        yield ", ".join(_about(rule) for rule in alike), *rest


def _own() -> Iterator[tuple[str, ...]]:
    yield "System", "Answer", "Class", "Schedule", "Who acts"
    yield "---", "---", "---", "---", "---"
    for name in names():
        for rule in manifest(name).errors:
            policy = judge([rule], rule.outcome or "RetryLater", rule.code, rule.status, 0)
            schedule = f"`{rule.schedule}`" if rule.schedule else "as the kind of answer"
            horizon = f", up to {rule.horizon_h:g} h" if rule.horizon_h else ""
            yield (
                manifest(name).title,
                _about(rule),
                f"`{rule.error_class}`",
                f"{schedule}{horizon}",
                _people(policy.who),
            )


def _rows(rules: Iterator[ErrorRule]) -> Iterator[tuple[str, ...]]:
    for rule in rules:
        schedule = f"`{rule.schedule}`" if rule.schedule else "as the kind of answer"
        yield _about(rule), f"`{rule.error_class}`", schedule, _people(rule.who)


def _about(rule: ErrorRule) -> str:
    code = f"`{rule.code}`" + ("…" if rule.code.endswith(".") else "") if rule.code else ""
    status = f"HTTP {rule.status}" if rule.status is not None else ""
    outcome = f"`{rule.outcome}`" if rule.outcome else ""
    return " and ".join(part for part in (code, status, outcome) if part)


def _people(who: str | None) -> str:
    return (who or "nobody").replace("_", " ")


def _time(seconds: int) -> str:
    unit_s, unit = next(each for each in _UNITS if seconds % each[0] == 0 or each[0] == 1)
    return f"{seconds // unit_s} {unit}"


_TABLES: dict[str, Callable[[], Iterator[tuple[str, ...]]]] = {
    "schedules": _schedules,
    "classes": _classes,
    "answers": _answers,
    "statuses": _statuses,
    "codes": _codes,
    "own": _own,
}


if __name__ == "__main__":
    path = ROOT / GUIDE
    path.write_text(updated(path.read_text("utf-8")), "utf-8")
