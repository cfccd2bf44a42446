"""The composition root: one function for each kind of process; wiring only, nobody imports it."""

from __future__ import annotations

import asyncio

from app.cli.program import program
from app.processes.scheduler import run_scheduler
from app.processes.web import run_web
from app.processes.worker import run_worker


def api() -> None:
    """Run one web process until it is told to stop."""
    asyncio.run(run_web())


def worker() -> None:
    """Run one worker until it is told to stop."""
    asyncio.run(run_worker())


def scheduler() -> None:
    """Run one scheduler until it is told to stop."""
    asyncio.run(run_scheduler())


def cli() -> None:
    """Run one command of the command line."""
    program()


if __name__ == "__main__":
    cli()
