"""`tillwire scheduler`: run one scheduler in the foreground."""

from __future__ import annotations

import asyncio

from app.cli.answer import plainly
from app.processes.scheduler import run_scheduler


@plainly
def scheduler() -> None:
    """Run one scheduler: sweeps, books, partitions; many may run, one leads."""
    asyncio.run(run_scheduler())
