"""`tillwire worker`: run one worker in the foreground, or keep several running."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.answer import plainly
from app.cli.fast_loop import run_to_end
from app.processes.supervise import run_workers
from app.processes.worker import run_worker


@plainly
def worker(
    *,
    processes: Annotated[
        int, typer.Option(min=0, max=256, help="Keep so many running; 0 runs one, unwatched.")
    ] = 0,
) -> None:
    """Run one worker: prepares messages, delivers, polls; ends on SIGTERM.

    It answers nothing: what it does is written to standard error, one JSON object a line. With
    --processes it starts workers, starts again what dies, and ends them all on SIGTERM.
    """
    run_to_end(run_workers(processes) if processes else run_worker())
