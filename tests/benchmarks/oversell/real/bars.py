"""What a run has to reach: the bars of the specification, each with its words and its figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `figure` of a verdict must be at most `most`."""

    name: str
    words: str
    most: float
    figure: Callable[[Told], float]


def _lag(verdict: Told, share: str) -> float:
    return float(verdict["lag"]["exposed"][share])


def _unlike(verdict: Told, channel: str) -> float:
    return float(verdict["lost_updates_by_channel"][channel])


def _lost(verdict: Told) -> float:
    return float(verdict["lost_share_0_1"])


def _well(verdict: Told) -> float:
    return float(verdict["recovery_s"] or 0.0)


def _unfolded(verdict: Told) -> float:
    return float(verdict["waiting"][-1]["unfolded"]) if verdict["waiting"] else 0.0


L2: tuple[Bar, ...] = (
    Bar("OB2", "oversold by late information, in 10,000 sales", 1.0, lambda v: v["per10k"]),
    Bar(
        "OB3", "sold out at a till until no channel shows it, p50 s", 1.5, lambda v: _lag(v, "p50")
    ),
    Bar("OB3", "the same, p99 s", 5.0, lambda v: _lag(v, "p99")),
    Bar("OB4", "articles told and not folded, at the end of selling", 250, _unfolded),
    Bar(
        "OB7",
        "articles of the web shop that differ after the drain",
        0,
        lambda v: _unlike(v, "web"),
    ),
    Bar(
        "OB7",
        "articles sold out and still shown anywhere after it",
        0,
        lambda v: v["exposed_at_end"],
    ),
    Bar("OB8", "online customers refused although there was stock", 0.001, _lost),
    Bar("OB10", "calls refused for coming too fast", 0, lambda v: v["throttled"]),
    Bar(
        "OB10", "share of the tightest quota used", 1.0, lambda v: max(v["quota_used_0_1"].values())
    ),
    Bar("L6", "values that landed after a newer one", 0, lambda v: v["older_landed"]),
    Bar("OB5", "values that had their effect twice", 0, lambda v: v["duplicates_effective"]),
)
L3: tuple[Bar, ...] = (
    Bar("OB5", "oversold by late information, in 10,000 sales", 3.0, lambda v: v["per10k"]),
    Bar("OB5", "values that had their effect twice", 0, lambda v: v["duplicates_effective"]),
    Bar(
        "OB5",
        "articles of the web shop that differ after the drain",
        0,
        lambda v: _unlike(v, "web"),
    ),
    Bar(
        "OB6",
        "until nothing sold out was shown after Amazon came back, s",
        60.0,
        _well,
    ),
    Bar("L6", "values that landed after a newer one", 0, lambda v: v["older_landed"]),
)


def as_lines(bars: tuple[Bar, ...], verdict: Told) -> list[str]:
    """Write each bar with what was reached."""
    found = [(bar, bar.figure(verdict)) for bar in bars]
    return [
        f"{bar.name:5}{figure:10.3f}  of {bar.most:g}  {'reached' if figure <= bar.most else 'MISSED'}"
        f"  {bar.words}"
        for bar, figure in found
    ]
