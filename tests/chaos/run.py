"""One chaos run: load, kills, drain, judgement; everything it found in one record."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from connectors.catalog.http.emulator.book import Entry, read_log
from infra.database.migrate import migrate
from infra.database.pool import Database, open_database
from tests.chaos.books import Books, drain, read_books
from tests.chaos.clients import Crowd
from tests.chaos.fleet import Fleet, OwnDeath
from tests.chaos.judge import Repeats, Verdict, judge, percentile, repeats
from tests.chaos.killer import Killer
from tests.chaos.plan import Plan
from tests.chaos.recovery import silences
from tests.chaos.told import ClientLog, Told, read_told
from tests.chaos.world import Shop, World, open_shops, open_world

# What the target does to us: shares of all requests.
TARGET_FAULTS = {"errors": 0.05, "lost": 0.01, "hang": 0.002}
START_TIMEOUT_S = 60.0
# Promised for 200 kills in 50,000 events.
REPEATS_MAX_SHARE_0_1 = 0.03
MANY_KILLS = 100
# Lines of our own processes that must not appear, whoever was killed: faults that were survived.
OWN_FAULTS = ("duty.failed", "prepare.failed", "settle.failed", "lane.failed", "claim.failed")
EFFECT = b'"is_effect":true'


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run did and found; `violations` is empty when every promise was kept.

    `marks_missed` are aims of cost, not of safety: a repeat is harmless, but should be rare.
    """

    seed: int
    events: int
    accepted: int
    effects: int
    target_requests: int
    kills: dict[str, int]
    flushes: int
    seconds: float
    drain_s: float
    repeated: int
    repeated_share: float
    taken_over_p99_s: float
    silence_accept_s: dict[str, dict[str, float]]
    silence_deliver_s: dict[str, dict[str, float]]
    found: dict[str, int]
    examples: dict[str, list[Any]]
    stuck: dict[str, int]
    unaccounted: int
    books_accepted: int
    books_delivered: int
    lanes_left: int
    lanes_stranded: int
    client_answers: dict[str, int]
    starts: int
    false_starts: int
    own_faults: dict[str, int]
    own_deaths: list[dict[str, Any]]
    violations: list[str] = field(default_factory=list)
    marks_missed: list[str] = field(default_factory=list)


@dataclass(slots=True)
class TargetLog:
    """Follows the target's log while it grows; counts effects."""

    path: Path
    effects: int = 0
    _read: int = 0

    def look(self) -> int:
        """Count what was added since the last look; gives all effects so far."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._read)
                added = file.read()
            whole = added[: added.rfind(b"\n") + 1]
            self._read += len(whole)
            self.effects += whole.count(EFFECT)
        return self.effects


async def run(plan: Plan, folder: Path) -> Figures:
    """Carry out one plan in a folder that is empty; the servers in it are removed at the end."""
    with open_world(folder) as world:
        await migrate(world.owner_url, world.app_url)
        database = await open_database(world.app_url, size=4, application="chaos")
        try:
            shops = await open_shops(world, database, plan.tenants)
            return await _load_and_judge(plan, world, database, shops)
        finally:
            await database.close()


async def _load_and_judge(
    plan: Plan, world: World, database: Database, shops: list[Shop]
) -> Figures:
    log = ClientLog(world.folder / "clients.jsonl")
    target = TargetLog(world.folder / "target.jsonl")
    fleet = Fleet(world.environment(), world.folder)
    crowd = Crowd(plan, shops, world.web_port, log)
    killer = Killer(world, fleet, lambda: (log.acked + target.look()) / (2 * plan.events))
    async with _running(fleet, world, plan):
        started_s = time.monotonic()
        await _load(plan, crowd, killer)
        loaded_s = time.monotonic()
        left = await drain(database, plan.drain_s)
        ended_s = time.monotonic()
        books = await read_books(database, shops, left)
    log.close()
    return _figures(
        plan=plan,
        killer=killer,
        crowd=crowd,
        books=books,
        told=list(read_told(world.folder / "clients.jsonl")),
        entries=list(read_log(target.path)),
        seconds=(ended_s - started_s, ended_s - loaded_s),
    )


async def _load(plan: Plan, crowd: Crowd, killer: Killer) -> None:
    """Send everything while the killer works; what is due only after the drain, he leaves."""
    async with asyncio.timeout(plan.load_s + plan.drain_s), asyncio.TaskGroup() as tasks:
        killing = tasks.create_task(killer.run(plan.schedule()))
        await crowd.send_all()
        await asyncio.wait({killing}, timeout=plan.drain_s)
        killing.cancel()


@asynccontextmanager
async def _running(fleet: Fleet, world: World, plan: Plan) -> AsyncIterator[None]:
    """Run the target and our processes until the block ends."""
    fleet.start(
        "target",
        [
            sys.executable,
            "-m",
            "connectors.catalog.http.emulator",
            "--port",
            str(world.target_port),
            "--log",
            str(world.folder / "target.jsonl"),
            "--seed",
            str(plan.seed),
            *[part for name, share in TARGET_FAULTS.items() for part in (f"--{name}", str(share))],
        ],
    )
    product = {"web": "web", "worker-1": "worker", "worker-2": "worker", "scheduler": "scheduler"}
    for name, command in product.items():
        fleet.start_product(name, command)
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(fleet.keep_running())
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await fleet.until_ready(product)
            yield
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})
            fleet.stop()


def _figures(
    *,
    plan: Plan,
    killer: Killer,
    crowd: Crowd,
    books: Books,
    told: list[Told],
    entries: list[Entry],
    seconds: tuple[float, float],
) -> Figures:
    verdict, repeated = judge(told, entries), repeats(entries)
    fleet = killer.fleet
    figures = Figures(
        seed=plan.seed,
        events=plan.events,
        accepted=crowd.log.acked,
        effects=repeated.effects,
        target_requests=len(entries),
        kills=dict(killer.kills),
        flushes=killer.flushes,
        seconds=round(seconds[0], 1),
        drain_s=round(seconds[1], 1),
        repeated=repeated.count,
        repeated_share=round(repeated.share_0_1, 4),
        taken_over_p99_s=round(percentile(repeated.waits_s, 0.99), 2),
        silence_accept_s=silences(
            killer.killed_at_ns, [line.at_ns for line in told if line.what == "acked"]
        ),
        silence_deliver_s=silences(
            killer.killed_at_ns, [entry.at_ns for entry in entries if entry.is_effect]
        ),
        found=verdict.counts(),
        examples={n: list(getattr(verdict, n)[:5]) for n, c in verdict.counts().items() if c},
        stuck=books.open,
        unaccounted=books.unaccounted,
        books_accepted=books.accepted,
        books_delivered=books.delivered,
        lanes_left=books.lanes_left,
        lanes_stranded=fleet.count_in_logs("lanes.stranded"),
        client_answers=dict(crowd.answers),
        starts=fleet.starts,
        false_starts=fleet.false_starts,
        own_faults={name: count for name in OWN_FAULTS if (count := fleet.count_in_logs(name))},
        own_deaths=[asdict(death) for death in fleet.own_deaths],
    )
    figures.violations.extend(_violations(plan, figures, verdict, crowd, fleet.own_deaths))
    if _repeats_too_much(plan, repeated):
        figures.marks_missed.append(
            f"repeats {repeated.share_0_1:.1%}, aim {REPEATS_MAX_SHARE_0_1:.0%} at most"
        )
    return figures


def _violations(
    plan: Plan,
    figures: Figures,
    verdict: Verdict,
    crowd: Crowd,
    deaths: list[OwnDeath],
) -> list[str]:
    """Name every promise that was not kept; each line says how many times."""
    counted = {
        **verdict.counts(),
        "never accepted": plan.events - figures.accepted,
        "kills not made": plan.kills - sum(figures.kills.values()),
        "stuck": sum(figures.stuck.values()),
        "unaccounted": figures.unaccounted,
        "missing in the books": figures.accepted - figures.books_delivered,
        "lanes left": figures.lanes_left,
        "lanes stranded": figures.lanes_stranded,
        "good events refused": crowd.refusals(),
        "processes that died by themselves": len(deaths),
        **{f"{name} in our logs": count for name, count in figures.own_faults.items()},
    }
    return [f"{what}: {count}" for what, count in counted.items() if count]


def _repeats_too_much(plan: Plan, repeated: Repeats) -> bool:
    """Hold a run with many kills to the aim; a handful of kills says too little."""
    return plan.kills >= MANY_KILLS and repeated.share_0_1 > REPEATS_MAX_SHARE_0_1


def keeps_folder() -> bool:
    """Say whether logs are to be kept after a run (TILLWIRE_CHAOS_KEEP=1), to look for causes."""
    return os.environ.get("TILLWIRE_CHAOS_KEEP") == "1"
