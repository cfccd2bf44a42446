"""Measure what the engine does on this machine, with everything on it: python -m tests.benchmarks."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from infra import clock
from tests.benchmarks.accept import measure_accept
from tests.benchmarks.deliver import measure_deliver
from tests.benchmarks.fairness import measure_fairness
from tests.benchmarks.figures import Figure, as_rows, as_table
from tests.benchmarks.growth import measure_growth
from tests.benchmarks.limits import measure_limits
from tests.benchmarks.memory import measure_memory
from tests.benchmarks.prices import measure_prices
from tests.benchmarks.priority import measure_priority
from tests.benchmarks.replay import measure_replay
from tests.benchmarks.returns import measure_returns
from tests.benchmarks.revisions import measure_revisions
from tests.benchmarks.settlement import measure_settlement
from tests.benchmarks.stock import measure_stock
from tests.benchmarks.storeday import measure_storeday
from tests.benchmarks.wholeday import measure_whole_day
from tests.chaos.world import World, open_world

FILE = Path(".tillwire/bench.json")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured; the counts are messages."""

    accept: int = 30_000
    deliver: int = 20_000
    tenants: int = 100
    live_s: float = 10.0
    waiting: tuple[int, int] = (10_000, 1_000_000)
    many_tenants: tuple[int, ...] = (1, 100, 1_000)
    first: int = 20_000
    flood: int = 100_000
    watch_s: float = 30.0
    bulk: int = 50_000
    judged_s: float = 30.0
    replayed: int = 100_000
    tickets: int = 14_000
    stores: int = 300
    settled_lines: int = 40_000
    days: int = 1_000
    stories: int = 8
    articles: int = 20_000


FULL = Size()
QUICK = Size(
    accept=6_000,
    deliver=4_000,
    tenants=20,
    live_s=3.0,
    waiting=(5_000, 50_000),
    many_tenants=(1, 20, 100),
    first=4_000,
    flood=30_000,
    watch_s=8.0,
    bulk=20_000,
    judged_s=8.0,
    replayed=10_000,
    tickets=2_000,
    stores=40,
    settled_lines=5_000,
    days=40,
    stories=1,
    articles=4_000,
)
SECTIONS = (
    "memory",
    "accept",
    "deliver",
    "growth",
    "fairness",
    "priority",
    "limits",
    "replay",
    "storeday",
    "stock",
    "prices",
    "returns",
    "wholeday",
    "settlement",
    "revisions",
)


async def measure(
    size: Size, folder: Path, sections: tuple[str, ...], tell: Callable[[list[Figure]], None]
) -> list[Figure]:
    """Measure the named sections one after the other; `tell` hears of each when it is done."""
    figures: list[Figure] = []
    with open_world(folder) as world:
        for section in sections:
            found = await _section(section, size, world)
            tell(found)
            figures += found
    return figures


def _section(name: str, size: Size, world: World) -> Awaitable[list[Figure]]:
    return {
        "memory": lambda: measure_memory(world),
        "accept": lambda: measure_accept(world, size.accept, size.tenants),
        "deliver": lambda: measure_deliver(world, size.deliver, size.tenants, size.live_s),
        "growth": lambda: measure_growth(world, size.waiting, size.many_tenants, size.first),
        "fairness": lambda: measure_fairness(world, size.flood, size.watch_s),
        "priority": lambda: measure_priority(world, size.bulk),
        "limits": lambda: measure_limits(world, size.judged_s),
        "replay": lambda: measure_replay(world, size.replayed),
        "stock": lambda: measure_stock(world, size.articles),
        "storeday": lambda: measure_storeday(world, size.tickets),
        "prices": lambda: measure_prices(world, size.stores),
        "returns": lambda: measure_returns(world, size.stories),
        "wholeday": lambda: measure_whole_day(world, size.tickets),
        "revisions": lambda: measure_revisions(world, size.days),
        "settlement": lambda: measure_settlement(world, size.settled_lines),
    }[name]()


def main() -> None:
    """Measure, print, and keep the figures in a file."""
    parser = argparse.ArgumentParser(prog="tillwire bench")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    parser.add_argument("--quick", action="store_true", help="small sizes, at most 90 s")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="measure only this")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tillwire-bench-"))
    # The servers run under an account of their own when this one is root; they must get in.
    folder.chmod(0o755)
    sections = tuple(options.only or SECTIONS)

    def tell(found: list[Figure]) -> None:
        if not options.json:
            sys.stdout.write(as_table(as_rows(found)) + "\n\n")
            sys.stdout.flush()

    try:
        size = QUICK if options.quick else FULL
        figures = asyncio.run(measure(size, folder, sections, tell))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    kept = {
        "measured_at": clock.now().isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}",
        "is_quick": options.quick,
        "figures": as_rows(figures),
    }
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    if options.json:
        sys.stdout.write(json.dumps(kept) + "\n")


if __name__ == "__main__":
    main()
