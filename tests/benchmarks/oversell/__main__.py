"""Measure how often two buyers get one unit: python -m tests.benchmarks.oversell [--level L2] [--quick].

L1 is the model of all strategies, L2 the running product for ten minutes, L3 the same with troubles.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from msgspec import structs

from infra import clock
from infra.numbers import keep_numbers_exact
from tests.benchmarks.oversell.chart import Measured, chart
from tests.benchmarks.oversell.figures import CAVEATS, Figure, as_json, measure
from tests.benchmarks.oversell.real import bars
from tests.benchmarks.oversell.real.plan import Plan
from tests.benchmarks.oversell.real.run import ADVERSE, Level, play
from tests.benchmarks.oversell.strategies import BY_LETTER, STRATEGIES
from tests.benchmarks.oversell.world import World

# The bar of the specification: the product's way oversells so much less often than half-hourly files.
BAR_TIMES = 500


FULL = Plan(folder="", ports={}, doors={})
# In short: fewer articles, so that as many of them sell out.
QUICK = Plan(
    folder="",
    ports={},
    doors={},
    skus=2_000,
    hot=20,
    tail_mean_units=8.0,
    seconds=60.0,
    drain_s=30.0,
)
# Every trouble of ten minutes in ninety seconds.
QUICK_ADVERSE = structs.replace(ADVERSE, dark=(10.0, 30.0, 0.05), refusing=(20.0, 40.0))
JUDGED = Path(".tillwire/oversell.json")


def main() -> int:
    """Measure, print, and write the files that were asked for; 1 when a bar of the model is missed."""
    options = _parser().parse_args()
    keep_numbers_exact()
    levels = options.level or ["L1"]
    verdicts = [_judged(name, is_quick=options.quick) for name in levels if name != "L1"]
    if verdicts:
        JUDGED.parent.mkdir(exist_ok=True)
        JUDGED.write_text(json.dumps(verdicts, indent=1) + "\n", encoding="utf-8")
    if "L1" not in levels:
        return 0
    return _model(options, [_point(each) for each in verdicts])


def _judged(name: str, *, is_quick: bool) -> dict[str, Any]:
    """Play one level on the running product and say what it came to."""
    plan, adverse = (QUICK, QUICK_ADVERSE) if is_quick else (FULL, ADVERSE)
    is_adverse = name == "L3"
    level = Level(name, structs.replace(plan, adverse=adverse) if is_adverse else plan, is_adverse)
    verdict = asyncio.run(play(level))
    _say(
        f"{name}, {verdict['sales']:,} sales in {plan.seconds:g} s at {plan.lines_per_s:g} a second:"
    )
    for line in bars.as_lines(bars.L3 if is_adverse else bars.L2, verdict):
        _say(f"  {line}")
    return verdict


def _point(verdict: dict[str, Any]) -> Measured:
    return Measured(verdict["level"], verdict["per10k"], verdict["sales"], verdict["rate"])


def _model(options: argparse.Namespace, measured: list[Measured]) -> int:
    """Play the model of every strategy, and draw all there is."""
    chosen = [BY_LETTER[letter] for letter in options.strategy] or list(STRATEGIES)
    began_s = clock.monotonic_s()
    world = World(sales_per_s=options.sales_per_s)
    figures = measure(chosen, range(1, options.seeds + 1), world)
    for figure in figures:
        _say(_line(figure))
    took_s = clock.monotonic_s() - began_s
    _say(f"\n{len(chosen)} strategies x {options.seeds} seeds in {took_s:.0f} s")
    for caveat in CAVEATS:
        _say(f"- {caveat}")
    if options.json:
        content = json.dumps([as_json(figure) for figure in figures], indent=1)
        options.json.write_text(content + "\n", encoding="utf-8")
    if options.svg:
        options.svg.write_text(chart(figures, measured), encoding="utf-8")
    return _verdict({figure.strategy.letter: figure for figure in figures})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oversell")
    parser.add_argument("--level", action="append", default=[], choices=("L1", "L2", "L3"))
    parser.add_argument("--quick", action="store_true", help="the running product in short")
    parser.add_argument("--strategy", action="append", default=[], choices=sorted(BY_LETTER))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--sales-per-s", type=float, default=40.0)
    parser.add_argument("--svg", type=Path, default=None)
    parser.add_argument("--json", type=Path, default=None)
    return parser


def _line(figure: Figure) -> str:
    least, largest = figure.spread
    return (
        f"{figure.strategy.letter:3}{figure.strategy.title:38}"
        f"{figure.oversold_per_10k:9.2f} ({least:.2f}..{largest:.2f}) oversold per 10,000 sales"
        f"  {figure.stolen_per_10k:6.0f} taken by walk-ins  {figure.lost_share_0_1:6.2%} lost"
    )


def _verdict(figures: dict[str, Figure]) -> int:
    if not {"A", "E"} <= figures.keys():
        return 0
    ours = figures["E"].oversold_per_10k
    if not ours:
        _say("E oversold nothing at all.")
        return 0
    times = figures["A"].oversold_per_10k / ours
    _say(f"E oversells {times:,.0f} times less often than A (bar {BAR_TIMES}).")
    return int(times < BAR_TIMES)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
