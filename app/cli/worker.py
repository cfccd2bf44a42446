"""`tillwire worker`: run one worker in the foreground."""

from __future__ import annotations

from app.cli.answer import plainly
from app.cli.fast_loop import run_to_end
from app.processes.worker import run_worker


@plainly
def worker() -> None:
    """Run one worker: prepares messages, delivers, polls; ends on SIGTERM.

    It answers nothing: what it does is written to standard error, one JSON object a line.
    """
    run_to_end(run_worker())
