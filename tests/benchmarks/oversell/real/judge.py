"""The judge: reads only what tills and channels wrote down themselves, and works the truth out anew.

Truth of an article at a moment: its units at the start, less what tills sold, less what channels
accepted. An order accepted when nothing is left of that is oversold by late information; a walk-in
who takes a unit that was promised steals it, for which no platform can be blamed.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.oversell.real.channel import Line, read_lines
from tests.benchmarks.oversell.real.plan import AMAZON, ONLINE, QUOTAS, TILL, WALMART, WEB, Plan
from tests.chaos.judge import percentile

SECOND_NS = 1_000_000_000
FIRST_NUMBER = 8001


@dataclass(slots=True)
class _Open:
    """A channel that shows too much of an article since a moment: how many units, who waits."""

    since_ns: int
    units: int


@dataclass(slots=True)
class Verdict:
    """What a run came to; lags in seconds, exposure in unit-seconds."""

    sales: int = 0
    online_lines: int = 0
    sync: int = 0
    steal: int = 0
    lost: int = 0
    exposure_unit_s: float = 0.0
    lags_s: list[float] = field(default_factory=list)
    exposed_lags_s: list[float] = field(default_factory=list)
    cas_conflicts: int = 0
    throttled: int = 0
    old: int = 0
    updates_sent: Counter[str] = field(default_factory=Counter)
    duplicates_effective: int = 0
    unlike: Counter[str] = field(default_factory=Counter)
    exposed_at_end: int = 0
    seconds: float = 0.0
    open_lags: int = 0
    recovery_s: float | None = None

    def as_json(self, plan: Plan) -> dict[str, Any]:
        """Give the fields of the specification as plain data."""
        return {
            "strategy": "E on the running product",
            "seed": plan.seed,
            "rate": plan.lines_per_s,
            "sales": self.sales,
            "online_lines": self.online_lines,
            "sync": self.sync,
            "steal": self.steal,
            "lost": self.lost,
            "lost_share_0_1": round(self.lost / max(1, self.online_lines + self.lost), 5),
            "per10k": round(self.sync / max(1, self.sales) * 10_000, 3),
            "exposure_unit_s": round(self.exposure_unit_s, 1),
            "lag": {"all": _spread(self.lags_s), "exposed": _spread(self.exposed_lags_s)},
            "lags_open_at_end": self.open_lags,
            "cas_conflicts": self.cas_conflicts,
            "throttled": self.throttled,
            "older_landed": self.old,
            "updates_sent": dict(self.updates_sent),
            "quota_used_0_1": {
                name: round(self.updates_sent[name] / _allowed(name, self.seconds), 3)
                for name in (AMAZON, WALMART)
                if self.seconds
            },
            "lost_updates": sum(self.unlike.values()),
            "lost_updates_by_channel": {name: self.unlike[name] for name in ONLINE},
            "exposed_at_end": self.exposed_at_end,
            "recovery_s": self.recovery_s,
            "duplicates_effective": self.duplicates_effective,
        }


class Judge:
    """Plays the logs back in order of time."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._left = plan.stock()
        self._shown = {name: dict(self._left) for name in ONLINE}
        self._known: dict[str, set[tuple[str, int]]] = {name: set() for name in ONLINE}
        self._open: dict[tuple[str, str], _Open] = {}
        self._waiting: defaultdict[tuple[str, str], list[tuple[int, int, bool]]] = defaultdict(list)
        self._healed_ns: int | None = None
        self._sick: set[tuple[str, str]] = set()
        self.verdict = Verdict()

    def judge(self) -> Verdict:
        """Read all logs and decide."""
        lines = sorted(self._lines(), key=lambda each: each[1].at_ns)
        healed_s = self._plan.adverse.refusing[1]
        if healed_s and lines:
            self._healed_ns = lines[0][1].at_ns + int(healed_s * SECOND_NS)
        for where, line in lines:
            self._play(where, line)
            self._recover(line.at_ns)
        if lines:
            self._end(lines[0][1].at_ns, lines[-1][1].at_ns)
        return self.verdict

    def _lines(self) -> Iterator[tuple[str, Line]]:
        folder = Path(self._plan.folder)
        for name in (TILL, AMAZON, WALMART):
            for line in read_lines(folder / f"{name}.jsonl"):
                yield name, line
        yield from ((WEB, line) for line in _shop_lines(folder / "web.jsonl"))

    def _play(self, where: str, line: Line) -> None:
        verdict, sku = self.verdict, line.sku
        match line.kind:
            case "sold" if where == TILL:
                verdict.sales += 1
                verdict.steal += self._left[sku] <= 0
                self._take(sku, line.at_ns, is_till=True)
            case "sold":
                verdict.sales += 1
                verdict.online_lines += 1
                verdict.sync += self._left[sku] <= 0
                self._shown[where][sku] -= 1
                self._take(sku, line.at_ns, is_till=False)
            case "refused" if where != TILL:
                verdict.lost += self._left[sku] > 0
            case "shown":
                self._show(where, line)
            case "throttled":
                verdict.throttled += 1
            case "conflict":
                verdict.cas_conflicts += 1
            case "old":
                verdict.old += 1

    def _take(self, sku: str, at_ns: int, *, is_till: bool) -> None:
        self._left[sku] -= 1
        may_show = max(0, self._left[sku])
        for name in ONLINE:
            if is_till and self._shown[name][sku] > may_show:
                is_sold_out = may_show == 0
                self._waiting[name, sku].append((at_ns, may_show, is_sold_out))
            self._look(name, sku, at_ns)

    def _show(self, where: str, line: Line) -> None:
        verdict, sku = self.verdict, line.sku
        verdict.updates_sent[where] += 1
        if line.seq:
            verdict.duplicates_effective += (sku, line.seq) in self._known[where]
            self._known[where].add((sku, line.seq))
        self._shown[where][sku] = line.units
        self._look(where, sku, line.at_ns)

    def _look(self, name: str, sku: str, at_ns: int) -> None:
        """Add up exposure until now, and end the waits of sales that the channel knows of."""
        shown, key = self._shown[name][sku], (name, sku)
        known = self._open.pop(key, None)
        if known is not None:
            seconds = (at_ns - known.since_ns) / SECOND_NS
            self.verdict.exposure_unit_s += known.units * seconds
        too_much = shown - max(0, self._left[sku])
        if too_much > 0:
            self._open[key] = _Open(at_ns, too_much)
        waiting = self._waiting.pop(key, [])
        for since_ns, may_show, is_sold_out in waiting:
            if shown > may_show:
                self._waiting[key].append((since_ns, may_show, is_sold_out))
                continue
            lag_s = (at_ns - since_ns) / SECOND_NS
            self.verdict.lags_s.append(lag_s)
            if is_sold_out:
                self.verdict.exposed_lags_s.append(lag_s)

    def _recover(self, at_ns: int) -> None:
        """Say how long after the fault was over the last article stood sold out and still shown."""
        if self._healed_ns is None or at_ns < self._healed_ns:
            return
        if self.verdict.recovery_s is None:
            self._sick = {key for key in self._open if self._left[key[1]] <= 0}
            self.verdict.recovery_s = 0.0
        if self._sick:
            self._sick = {key for key in self._sick if key in self._open}
            self.verdict.recovery_s = (at_ns - self._healed_ns) / SECOND_NS

    def _end(self, first_ns: int, last_ns: int) -> None:
        verdict = self.verdict
        verdict.seconds = (last_ns - first_ns) / SECOND_NS
        verdict.open_lags = sum(len(each) for each in self._waiting.values())
        for name in ONLINE:
            for sku, left in self._left.items():
                shown, may_show = self._shown[name][sku], max(0, left)
                verdict.unlike[name] += shown != may_show
                verdict.exposed_at_end += shown > may_show == 0
        for key in list(self._open):
            self._look(*key, last_ns)


def _shop_lines(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8") as file:
        for text in file:
            told = json.loads(text)
            kind = _SHOP_KINDS.get(told["kind"])
            if kind is None:
                continue
            at_ns = int(datetime.fromisoformat(told["at"]).timestamp() * 1_000_000) * 1_000
            if kind == "sold":
                for sku, units in told["lines"].items():
                    yield Line(kind, at_ns, sku, units)
            elif kind == "shown":
                yield Line(kind, at_ns, _sku(told["item"]), told["after"])
            else:
                yield Line(kind, at_ns, told.get("sku", ""))


def _allowed(name: str, seconds: float) -> float:
    return QUOTAS[name].per_s * seconds + QUOTAS[name].burst


def _sku(item_gid: str) -> str:
    return f"MM-{int(item_gid.rpartition('/')[2]) - FIRST_NUMBER + 1:04d}"


def _spread(values: Sequence[float]) -> dict[str, float]:
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    found = {name: round(percentile(values, share), 3) for name, share in shares.items()}
    return {"count": len(values), **found}


_SHOP_KINDS = {
    "sold": "sold",
    "turned_away": "refused",
    "stock_set": "shown",
    "refused": "conflict",
    "throttled": "throttled",
}
