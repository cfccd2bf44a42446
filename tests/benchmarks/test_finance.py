"""The benchmarks of finance at small size: what they find is exact; no time is asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.__main__ import Size, measure

SMALL = Size(tickets=300, settled_lines=3_000, days=20)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_days_and_settlements_are_exact_and_every_planted_difference_is_found(
    tmp_path: Path,
) -> None:
    figures = await measure(SMALL, tmp_path, ("settlement", "revisions"), lambda _: None)

    found = {figure.name: figure.value for figure in figures}
    assert (found["settlement.found"], found["settlement.false"]) == (25, 0)
    assert found["revisions.days_exact"] >= 20


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_store_day_goes_through_the_real_processes_to_the_books(tmp_path: Path) -> None:
    figures = await measure(SMALL, tmp_path, ("wholeday",), lambda _: None)

    assert {figure.name: figure.value for figure in figures}["wholeday.delivered"] == 298
