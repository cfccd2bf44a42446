"""One record that ends, blocks or eats every worker that touches it; all others must go through.

Real worker processes read and send with a connector that does, for one record, what its name says.
In the end that record is held with its reason, every other one is delivered, and the books balance.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.catalog.http.emulator import Recorder
from tests.chaos.planted.connector import NAME
from tests.chaos.scene import Scene, open_scene
from tests.stage import Retailer, Stage, order_event

WORKERS = ("worker-1", "worker-2")
CLEAN = "clean"
DEEDS = tuple(
    f"{where}-{deed}"
    for where in ("read", "send")
    for deed in ("abort", "memory", "spin", "gil", "block")
)
# What a failed allocation raises stays with its record; everything else ends the worker.
CODES = {"memory": "connector.fault"}
CRASHED = "worker.crashed"
# Deaths until a record is set aside: one for being near, then those of being alone.
DEATHS_AT_MOST = 6
SLOWER_AT_MOST_S = 30.0
AT_MOST_S = 120.0
BATCH = 500


@dataclass(frozen=True, slots=True)
class PoisonPlan:
    """Which deeds are tried, one after the other, each by one record among `records`."""

    records: int = 2_000
    deeds: Sequence[str] = DEEDS


@dataclass(slots=True)
class PoisonFigures:
    """What became of each deed: workers that ended, seconds, held code, delivered records."""

    records: int
    clean_s: float = 0.0
    deeds: dict[str, dict[str, Any]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


async def run_poison(plan: PoisonPlan, folder: Path) -> PoisonFigures:
    """Try every deed in a folder that is empty; first none, to know how long it takes."""
    figures = PoisonFigures(plan.records)
    async with open_scene(folder) as scene, Recorder() as target:
        await scene.start_workers(WORKERS, planted=True)
        for deed in (CLEAN, *plan.deeds):
            found = await _try(deed, plan.records, scene, target.url)
            figures.deeds[deed] = found
            figures.violations += _violations(deed, found, plan.records, figures.clean_s)
            figures.clean_s = figures.deeds[CLEAN]["seconds"]
    return figures


async def _try(deed: str, records: int, scene: Scene, url: str) -> dict[str, Any]:
    """Let one retailer have one poisonous record in the middle of its good ones."""
    stage = scene.stage
    retailer = await scene.retailer(url)
    # Only the workers know the planted connector.
    await stage.write(retailer, "update connection set connector = $1", NAME)
    deaths = len(scene.fleet.own_deaths)
    started_s = time.monotonic()
    for first in range(0, records, BATCH):
        numbers = range(first, min(first + BATCH, records))
        events = [_event(n, deed if n == records // 2 else CLEAN) for n in numbers]
        await stage.accept(retailer, "source", *events)
    await stage.rests(retailer, AT_MOST_S)
    seconds = time.monotonic() - started_s
    ledger = await stage.ledger(retailer)
    return {
        "seconds": round(seconds, 1),
        "deaths": len(scene.fleet.own_deaths) - deaths,
        "held": await _held(stage, retailer),
        "delivered": ledger.total.fates.get("delivered", 0),
        "unaccounted": ledger.unaccounted,
    }


def _event(number: int, deed: str) -> dict[str, Any]:
    if deed == CLEAN:
        return order_event(number)
    return order_event(number, order_id=f"poison-{deed}")


async def _held(stage: Stage, retailer: Retailer) -> list[dict[str, Any]]:
    return await stage.rows(
        retailer,
        "select code, words, label, message_id is not null as has_message from hold"
        " where state = 'open'",
    )


def _violations(deed: str, found: dict[str, Any], records: int, clean_s: float) -> list[str]:
    """Name every promise that was not kept for one deed."""
    wanted = [] if deed == CLEAN else [CODES.get(deed.partition("-")[2], CRASHED)]
    kept = {
        f"held {[hold['code'] for hold in found['held']]} instead of {wanted}": (
            [hold["code"] for hold in found["held"]] == wanted
        ),
        "held without words or label": all(h["words"] and h["label"] for h in found["held"]),
        f"delivered {found['delivered']}": found["delivered"] == records - len(wanted),
        f"unaccounted {found['unaccounted']}": found["unaccounted"] == 0,
        f"{found['deaths']} workers ended": found["deaths"]
        <= (DEATHS_AT_MOST if CRASHED in wanted else 0),
        f"{found['seconds']} s instead of {clean_s}": deed == CLEAN
        or found["seconds"] <= clean_s + SLOWER_AT_MOST_S,
    }
    return [f"{deed}: {what}" for what, is_kept in kept.items() if not is_kept]
