"""The oversell model in small: the same world again gives the same figures, and the order counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.benchmarks.oversell.chart import Measured, chart
from tests.benchmarks.oversell.figures import Figure
from tests.benchmarks.oversell.model import run
from tests.benchmarks.oversell.real.channel import Line, Log
from tests.benchmarks.oversell.real.judge import Judge
from tests.benchmarks.oversell.real.plan import Plan, name_of
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


def test_the_running_product_stands_beside_the_model_in_the_chart() -> None:
    figure = Figure(BY_LETTER["E"], (1,), (run(SMALL, BY_LETTER["E"]),))

    drawn = chart([figure], [Measured("L2", 0.0, 23_456, 40.0)])

    assert drawn.count("<circle") == 1
    assert "0.00 in 23,456 sales" in drawn


def test_the_judge_tells_late_information_from_walk_ins_and_lost_sales(tmp_path: Path) -> None:
    plan = Plan(str(tmp_path), {}, {}, skus=2, hot=2, hot_units=2)
    one, two = name_of(0), name_of(1)
    second = 1_000_000_000
    _write(
        tmp_path / "tills.jsonl",
        Line("sold", 1 * second, one, 1),
        Line("sold", 2 * second, one, 1),
        # Promised to somebody online, and taken all the same.
        Line("sold", 9 * second, two, 1),
        Line("refused", 9 * second, one),
    )
    _write(
        tmp_path / "amazon.jsonl",
        Line("shown", 3 * second, one, 1, 2),
        # Nothing is left since 2, and it is still shown.
        Line("sold", 4 * second, one, 1),
        Line("throttled", 5 * second, one),
        Line("shown", 5 * second, one, 0, 3),
        Line("old", 6 * second, one, 1, 2),
        Line("sold", 7 * second, two, 1),
        Line("sold", 8 * second, two, 1),
    )
    _write(
        tmp_path / "walmart.jsonl",
        Line("shown", 2 * second, one, 0, 3),
        Line("shown", 2 * second, two, 0, 1),
        Line("refused", 6 * second, two),
    )
    (tmp_path / "web.jsonl").write_text(
        '{"at":"1970-01-01T00:00:04+00:00","kind":"stock_set",'
        '"item":"gid://shopify/InventoryItem/8001","before":2,"after":0}\n'
    )

    verdict = Judge(plan).judge()
    told = verdict.as_json(plan)

    assert (told["sales"], told["online_lines"]) == (6, 3)
    assert (told["sync"], told["steal"], told["lost"]) == (1, 1, 1)
    assert (told["throttled"], told["older_landed"], told["duplicates_effective"]) == (1, 1, 0)
    assert told["updates_sent"] == {"amazon": 2, "walmart": 2, "web": 1}
    # Sold out at 2: Walmart knew at once, Amazon at its own sale after two seconds, the shop then too.
    assert sorted(verdict.exposed_lags_s) == [0.0, 2.0, 2.0]


def _write(path: Path, *lines: Line) -> None:
    log = Log(path)
    for line in lines:
        log.write(line)
    log.close()
