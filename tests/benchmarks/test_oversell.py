"""The oversell model in small: the same world again gives the same figures, and the order counts."""

from __future__ import annotations

from dataclasses import replace

from tests.benchmarks.oversell.chart import chart
from tests.benchmarks.oversell.figures import Figure
from tests.benchmarks.oversell.model import run
from tests.benchmarks.oversell.strategies import BY_LETTER
from tests.benchmarks.oversell.world import World

# A tenth of the articles for a quarter of the time, as busy as in full.
SMALL = World(seed=1, skus=2_000, hot=20, hours=0.5, tail_mean_units=8.0)


def test_the_same_seed_gives_the_same_figures_and_another_one_does_not() -> None:
    strategy = BY_LETTER["E"]

    assert run(SMALL, strategy) == run(SMALL, strategy)
    assert run(SMALL, strategy) != run(replace(SMALL, seed=2), strategy)


def test_the_riskiest_first_oversells_a_small_part_of_what_every_other_order_does() -> None:
    oversold = {letter: run(SMALL, BY_LETTER[letter]).oversold for letter in "ACDE"}

    assert oversold["E"] * 10 <= min(oversold["A"], oversold["C"], oversold["D"])
    assert min(oversold["A"], oversold["C"], oversold["D"]) >= 50


def test_no_channel_gets_more_updates_than_its_quota() -> None:
    outcome = run(SMALL, BY_LETTER["C"])

    seconds = SMALL.hours * 3600
    assert outcome.sent[2] <= 5 * seconds
    assert outcome.sent[3] <= 10 * seconds


def test_keeping_a_unit_back_loses_sales_and_the_chart_says_who_is_who() -> None:
    careful, bold = run(SMALL, BY_LETTER["G"]), run(SMALL, BY_LETTER["F"])

    assert careful.lost > bold.lost
    drawn = chart([Figure(BY_LETTER["G"], (1,), (careful,)), Figure(BY_LETTER["F"], (1,), (bold,))])
    assert "F and one unit kept back" in drawn
    assert drawn.count('class="ours"') == 2
