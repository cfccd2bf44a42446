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
    "stock.first_fold_per_s": Mark(1_000.0, 2_000.0, "at_least"),
    # Domain flow F12.
    "stock.reservation_p99_ms": Mark(150.0, 50.0, "at_most"),
    # Domain bar DB4: killed after every step, every return comes to a legal end.
    "returns.killed_worker.legal_ends": Mark(1.0, 1.0, "at_least"),
    "accept.hook.share_of_limit": Mark(0.50, 0.70, "at_least"),
    "accept.events.share_of_limit": Mark(0.50, 0.70, "at_least"),
    "deliver.share_of_bare_lanes": Mark(0.35, 0.50, "at_least"),
    "deliver.times_per_event_dramatiq": Mark(6.0, 10.0, "at_least"),
    "latency.half_rate.p99_ms": Mark(250.0, 100.0, "at_most"),
    "growth.cost_many_waiting": Mark(1.3, 1.1, "at_most"),
    "growth.cost_many_tenants": Mark(1.3, 1.1, "at_most"),
    # reliability P9 and P10.
    "fairness.one_key.flood.p99_ms": Mark(2000.0, 500.0, "at_most"),
    "fairness.one_key.times_calm_p99": Mark(1.5, 1.2, "at_most"),
    "fairness.one_key.share_of_alone": Mark(0.95, 0.99, "at_least"),
    "fairness.many_keys.flood.p99_ms": Mark(2000.0, 500.0, "at_most"),
    "fairness.many_keys.times_calm_p99": Mark(1.5, 1.2, "at_most"),
    "fairness.many_keys.share_of_alone": Mark(0.95, 0.99, "at_least"),
    "fairness.slow_target.flood.p99_ms": Mark(2000.0, 500.0, "at_most"),
    "fairness.slow_target.times_calm_p99": Mark(1.5, 1.2, "at_most"),
    "fairness.slow_target.share_of_alone": Mark(0.95, 0.99, "at_least"),
    "priority.quick_bulk.orders.p95_ms": Mark(1000.0, 300.0, "at_most"),
    "priority.quick_bulk.orders.worst_ms": Mark(3000.0, 1000.0, "at_most"),
    "priority.quick_bulk.bulk_share": Mark(0.1, 0.2, "at_least"),
    "priority.slow_bulk.orders.p95_ms": Mark(1000.0, 300.0, "at_most"),
    "priority.slow_bulk.orders.worst_ms": Mark(3000.0, 1000.0, "at_most"),
    **{
        f"limits.{vendor}.{crew}.{share}": mark
        for vendor in ("amazon", "shopify", "walmart")
        for crew in ("one_worker", "2_workers")
        for share, mark in (
            ("refused_share", Mark(0.01, 0.0, "at_most")),
            ("used_share", Mark(0.90, 0.95, "at_least")),
        )
    },
    # all stores of four zones within a minute, an emergency within five.
    "prices.activation.worst_s": Mark(60.0, 5.0, "at_most"),
    "prices.emergency.worst_s": Mark(300.0, 30.0, "at_most"),
    "replay.preview_s": Mark(60.0, 30.0, "at_most"),
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
