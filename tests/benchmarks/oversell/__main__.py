"""Measure all strategies: python -m tests.benchmarks.oversell [--seeds 4] [--svg FILE] [--json FILE]."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from infra import clock
from tests.benchmarks.oversell.chart import chart
from tests.benchmarks.oversell.figures import CAVEATS, Figure, as_json, measure
from tests.benchmarks.oversell.strategies import BY_LETTER, STRATEGIES
from tests.benchmarks.oversell.world import World

# The bar of the specification: the product's way oversells so much less often than half-hourly files.
BAR_TIMES = 500


def main() -> int:
    """Measure, print, and write the files that were asked for; 1 when the bar is missed."""
    options = _parser().parse_args()
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
        options.svg.write_text(chart(figures), encoding="utf-8")
    return _verdict({figure.strategy.letter: figure for figure in figures})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oversell")
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
