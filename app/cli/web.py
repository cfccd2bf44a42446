"""`tillwire web`: run one web process in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.answer import plainly
from app.cli.fast_loop import run_to_end
from app.processes.web import run_web


@plainly
def web(
    *,
    folder: Annotated[
        Path | None, typer.Option(help="Root of watched folders: <tenant id>/<connection id>/.")
    ] = None,
) -> None:
    """Run one web process: webhooks, events, files, the API; ends on SIGTERM.

    It answers nothing: what it does is written to standard error, one JSON object a line.
    """
    run_to_end(run_web(folder))
