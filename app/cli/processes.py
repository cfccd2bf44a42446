"""`tillwire web`, `worker` and `scheduler`: run one process in the foreground."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from uvicorn.loops.auto import auto_loop_factory

from app.cli.answer import plainly
from app.processes.scheduler import run_scheduler
from app.processes.web import run_web
from app.processes.worker import run_worker


@plainly
def web(
    *,
    folder: Annotated[
        Path | None, typer.Option(help="Root of watched folders: <tenant id>/<connection id>/.")
    ] = None,
) -> None:
    """Run one web process: webhooks, events, files, the API; ends on SIGTERM."""
    _run(run_web(folder))


@plainly
def worker() -> None:
    """Run one worker: prepares messages, delivers, polls; ends on SIGTERM."""
    _run(run_worker())


@plainly
def scheduler() -> None:
    """Run one scheduler: sweeps, books, partitions; many may run, one leads."""
    asyncio.run(run_scheduler())


def _run(process: Coroutine[Any, Any, None]) -> None:
    """Run a process on uvloop where it is there: uvicorn chooses a loop only when it makes its own."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(process)
