"""The benchmark runs at tiny size and its figures are judged by the marks; no time is asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.__main__ import Size, measure
from tests.benchmarks.figures import MARKS, Figure, as_rows, as_table

TINY = Size(
    accept=100,
    deliver=300,
    tenants=2,
    live_s=0.2,
    waiting=(300, 600),
    many_tenants=(1, 2),
    first=300,
)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_accepting_delivering_and_growth_are_measured_and_every_mark_has_its_figure(
    tmp_path: Path,
) -> None:
    told: list[Figure] = []

    figures = await measure(TINY, tmp_path, ("accept", "deliver", "growth"), told.extend)

    assert told == figures
    assert all(figure.value > 0 for figure in figures)
    marked = {
        name for name in MARKS if name.startswith(("accept.", "deliver.", "latency.", "growth."))
    }
    assert {figure.name for figure in figures} >= marked


@pytest.mark.parametrize(
    ("name", "value", "reached"),
    [
        ("accept.hook.share_of_limit", 0.71, "aim"),
        ("accept.hook.share_of_limit", 0.5, "asked"),
        ("accept.hook.share_of_limit", 0.49, "missed"),
        ("latency.half_rate.p99_ms", 99.0, "aim"),
        ("latency.half_rate.p99_ms", 250.0, "asked"),
        ("latency.half_rate.p99_ms", 251.0, "missed"),
        ("accept.hook.rate", 1.0, ""),
    ],
)
def test_a_figure_is_held_against_its_mark(name: str, value: float, reached: str) -> None:
    assert Figure(name, value, "x").reached == reached


def test_the_table_shows_the_mark_beside_the_figure() -> None:
    table = as_table(as_rows([Figure("memory.web_mb", 120.0, "MB")]))

    assert table.splitlines() == [
        "name           value  unit  mark             reached",
        "memory.web_mb  120.0  MB    <= 160, aim 110  asked",
    ]
