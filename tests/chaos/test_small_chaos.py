"""Servers and workers are killed under load, and nothing is lost, doubled, stuck or out of order.

The full version (`make chaos`) does the same with 50,000 events and 200 kills, for three seeds.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.plan import Plan
from tests.chaos.run import run


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_nothing_is_lost_when_servers_and_workers_are_killed_under_load(
    tmp_path: Path,
) -> None:
    plan = Plan(events=2_000, kills=12, postgres_kills=2, seed=20)

    figures = await run(plan, tmp_path)

    assert figures.violations == []
    assert figures.accepted == figures.effects == figures.books_delivered == 2_000
    assert sum(figures.kills.values()) == 12
