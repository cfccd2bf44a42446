"""`tillwire scheduler`: run one scheduler in the foreground."""

from __future__ import annotations

from app.cli.answer import plainly
from app.cli.fast_loop import run_to_end
from app.processes.scheduler import run_scheduler


@plainly
def scheduler() -> None:
    """Run one scheduler: sweeps, books, partitions; many may run, one leads.

    It answers nothing: what it does is written to standard error, one JSON object a line.
    """
    run_to_end(run_scheduler())
