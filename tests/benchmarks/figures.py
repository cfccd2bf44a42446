"""Figures of a run, each beside the limit measured in the same run and the mark it has to reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Sense = Literal["at_least", "at_most", "none"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a figure has to reach: what is asked at least, what is aimed at, and which way is better."""

    asked: float
    aim: float
    sense: Sense


# engine-limits: "Marks to reach with the real product", two cores, everything on.
MARKS: dict[str, Mark] = {
    "accept.hook.share_of_limit": Mark(0.50, 0.70, "at_least"),
    "accept.events.share_of_limit": Mark(0.50, 0.70, "at_least"),
    "deliver.share_of_bare_lanes": Mark(0.35, 0.50, "at_least"),
    "deliver.times_per_event_dramatiq": Mark(6.0, 10.0, "at_least"),
    "latency.half_rate.p99_ms": Mark(250.0, 100.0, "at_most"),
    "growth.cost_many_waiting": Mark(1.3, 1.1, "at_most"),
    "growth.cost_many_tenants": Mark(1.3, 1.1, "at_most"),
    "memory.web_mb": Mark(160.0, 110.0, "at_most"),
    "memory.worker_mb": Mark(160.0, 110.0, "at_most"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number with its unit."""

    name: str
    value: float
    unit: str

    @property
    def reached(self) -> str:
        """Say `aim`, `asked` or `missed`; nothing for a figure without a mark."""
        mark = MARKS.get(self.name)
        if mark is None:
            return ""
        sign = 1 if mark.sense == "at_least" else -1
        if self.value * sign >= mark.aim * sign:
            return "aim"
        return "asked" if self.value * sign >= mark.asked * sign else "missed"


def as_rows(figures: list[Figure]) -> list[dict[str, object]]:
    """Give figures as rows for a table or a file."""
    return [
        {
            "name": figure.name,
            "value": round(figure.value, 3 if figure.value < 10 else 1),
            "unit": figure.unit,
            "mark": _mark(figure.name),
            "reached": figure.reached,
        }
        for figure in figures
    ]


def as_table(rows: list[dict[str, object]]) -> str:
    """Write rows as a plain table."""
    columns = ("name", "value", "unit", "mark", "reached")
    widths = {c: max(len(c), *(len(str(row[c])) for row in rows)) for c in columns}
    lines = ["  ".join(c.ljust(widths[c]) for c in columns)]
    lines += ["  ".join(str(row[c]).ljust(widths[c]) for c in columns) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _mark(name: str) -> str:
    mark = MARKS.get(name)
    if mark is None:
        return ""
    sign = ">=" if mark.sense == "at_least" else "<="
    return f"{sign} {mark.asked:g}, aim {mark.aim:g}"
