"""`tillwire worker` and `tillwire scheduler`: run one process in the foreground."""

from __future__ import annotations

import asyncio

from app.cli.answer import plainly
from app.processes.scheduler import run_scheduler
from app.processes.worker import run_worker


@plainly
def worker() -> None:
    """Run one worker: prepares messages, delivers, polls; ends on SIGTERM."""
    asyncio.run(run_worker())


@plainly
def scheduler() -> None:
    """Run one scheduler: sweeps, books, partitions; many may run, one leads."""
    asyncio.run(run_scheduler())
