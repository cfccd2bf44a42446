"""Run a command of the product with the planted connector: python -m tests.chaos.planted worker."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

from app.cli.program import program
from app.processes import worker
from connectors import registry
from tests.chaos.planted import connector
from tests.chaos.planted.connector import NAME

# Where the worker writes how long its loop stood still at worst; not set: not measured.
LAG_FILE = "TILLWIRE_TESTS_LAG_FILE"
TICK_S = 0.01


def main() -> None:
    """Make a catalogue that has one more folder, in this process alone, and run the command."""
    with tempfile.TemporaryDirectory(prefix="tillwire-planted-") as folder:
        _plant(Path(folder))
        if LAG_FILE in os.environ:
            parts = vars(worker)
            lag = Path(os.environ[LAG_FILE])
            parts["keep_watch"] = partial(_measure_lag, lag, parts["keep_watch"])
        program()


def _plant(folder: Path) -> None:
    catalog = registry._CATALOG
    for each in catalog.glob("*/manifest.toml"):
        (folder / each.parent.name).symlink_to(each.parent)
    text = (catalog / "http" / "manifest.toml").read_text(encoding="utf-8")
    (folder / NAME).mkdir()
    (folder / NAME / "manifest.toml").write_text(text.replace('name = "http"', f'name = "{NAME}"'))
    registry._CATALOG = folder
    for cached in (registry.names, registry.manifest, registry.load):
        cached.cache_clear()
    sys.modules[f"connectors.catalog.{NAME}.connector"] = connector


async def _measure_lag(
    file: Path, keep_watch: Callable[[float], Coroutine[None, None, None]], limit_s: float
) -> None:
    """Measure the loop beside the watchdog; whoever takes the file away begins a new count."""
    worst = {"late_ms": 0.0, "busy_ms": 0.0}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_watch(limit_s))
        while True:
            before_s, busy_s = time.monotonic(), time.thread_time()
            await asyncio.sleep(TICK_S)
            late_ms = (time.monotonic() - before_s - TICK_S) * 1000
            _note(file, worst, late_ms, (time.thread_time() - busy_s) * 1000)


def _note(file: Path, worst: dict[str, float], late_ms: float, busy_ms: float) -> None:
    """Write down a new worst: how late the loop came round, and how long it worked in one piece."""
    if not file.exists():
        worst.update(late_ms=0.0, busy_ms=0.0)
    if late_ms >= worst["late_ms"] or busy_ms >= worst["busy_ms"]:
        worst["late_ms"] = round(max(late_ms, worst["late_ms"]), 1)
        worst["busy_ms"] = round(max(busy_ms, worst["busy_ms"]), 1)
        file.write_text(json.dumps(worst), encoding="utf-8")


if __name__ == "__main__":
    main()
