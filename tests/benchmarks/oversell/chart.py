"""The oversell figures as a picture: bars on a logarithmic scale, readable without colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tests.benchmarks.oversell.figures import Figure

WIDTH, ROW, LEFT, RIGHT, TOP, FOOT = 860, 34, 300, 90, 76, 64
LEAST, MOST = 0.05, 1000.0
OURS = frozenset("EFG")


@dataclass(frozen=True, slots=True)
class Measured:
    """What the running product came to in one run: oversold units in 10,000 sales, and of how many."""

    letter: str
    oversold_per_10k: float
    sales: int
    lines_per_s: float


def chart(figures: Sequence[Figure], measured: Sequence[Measured] = ()) -> str:
    """Draw one bar for each strategy, with the least and the largest seed, then the measured runs."""
    count = len(figures) + len(measured)
    height = TOP + ROW * count + FOOT
    seeds = len(figures[0].seeds)
    rows = "".join(_row(figure, TOP + ROW * place) for place, figure in enumerate(figures))
    below = TOP + ROW * len(figures)
    rows += "".join(_run(each, below + ROW * place) for place, each in enumerate(measured))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-labelledby="t" font-family="system-ui, sans-serif" font-size="14">'
        '<title id="t">Oversold units in 10,000 sales, by the way stock is published</title>'
        f"<style>{_STYLE}</style>"
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="10"/>'
        '<text class="ink" x="24" y="32" font-size="18" font-weight="600">'
        "Oversold units in 10,000 sales</text>"
        '<text class="soft" x="24" y="54">same customers, same vendor quotas; logarithmic scale;'
        f" mean of {seeds} seeds, whiskers least to largest</text>"
        f"{_grid(count)}{rows}"
        f'<text class="soft" x="24" y="{height - 18}" font-size="12">Model with synthetic demand:'
        " 20,000 articles, 40 sale attempts a second for 2 hours. Walmart&#8217;s quota is"
        " assumed.</text></svg>\n"
    )


def _row(figure: Figure, top: float) -> str:
    letter, rate = figure.strategy.letter, figure.oversold_per_10k
    least, largest = figure.spread
    kind = "ours" if letter in OURS else "theirs"
    end = _x(rate)
    middle = top + ROW / 2
    return (
        f'<text class="ink" x="24" y="{middle + 5}"><tspan font-weight="600">{letter}</tspan>'
        f"  {escape(figure.strategy.title)}</text>"
        f'<rect class="{kind}" x="{LEFT}" y="{top + 6}" height="{ROW - 12}" rx="3"'
        f' width="{end - LEFT:.1f}"/>'
        f'<path class="whisker" d="M{_x(least):.1f} {middle}H{_x(largest):.1f}"/>'
        f'<text class="ink" x="{max(end, _x(largest)) + 8:.1f}" y="{middle + 5}">{_said(rate)}</text>'
    )


def _run(measured: Measured, top: float) -> str:
    """Draw one run of the product as a point: it has no spread, and may well be zero."""
    middle, at = top + ROW / 2, _x(measured.oversold_per_10k)
    return (
        f'<text class="ink" x="24" y="{middle + 5}"><tspan font-weight="600">{measured.letter}</tspan>'
        f"  the running product, {measured.lines_per_s:g}/s</text>"
        f'<circle class="ours" cx="{at:.1f}" cy="{middle}" r="6"/>'
        f'<text class="ink" x="{at + 14:.1f}" y="{middle + 5}">{_said(measured.oversold_per_10k)}'
        f" in {measured.sales:,} sales</text>"
    )


def _grid(rows: int) -> str:
    bottom = TOP + ROW * rows
    marks = (0.1, 1, 10, 100, 1000)
    return "".join(
        f'<path class="line" d="M{_x(mark):.1f} {TOP}V{bottom}"/>'
        f'<text class="soft" x="{_x(mark):.1f}" y="{bottom + 18}" text-anchor="middle"'
        f' font-size="12">{mark:g}</text>'
        for mark in marks
    )


def _x(rate: float) -> float:
    bounded = min(max(rate, LEAST), MOST)
    share = math.log(bounded / LEAST) / math.log(MOST / LEAST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _said(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.2f}"


_STYLE = (
    ".paper{fill:#fff}.ink{fill:#18181b}.soft{fill:#52525b}.line{stroke:#e4e4e7}"
    ".ours{fill:#0f766e}.theirs{fill:#a1a1aa}.whisker{stroke:#18181b;stroke-width:1.5}"
    "@media(prefers-color-scheme:dark){.paper{fill:#18181b}.ink{fill:#fafafa}.soft{fill:#a1a1aa}"
    ".line{stroke:#3f3f46}.ours{fill:#2dd4bf}.theirs{fill:#71717a}.whisker{stroke:#fafafa}}"
)
