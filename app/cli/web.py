"""`tillwire web`: run one web process in the foreground."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from app.cli.answer import plainly
from app.cli.fast_loop import run_to_end
from app.processes.web import Screens, run_web


@plainly
def web(
    context: typer.Context,
    *,
    folder: Annotated[
        Path | None, typer.Option(help="Root of watched folders: <tenant id>/<connection id>/.")
    ] = None,
) -> None:
    """Run one web process: webhooks, events, files, the API, the portal; ends on SIGTERM.

    It answers nothing: what it does is written to standard error, one JSON object a line.
    """
    run_to_end(run_web(folder, _screens(context.obj)))


def _screens(place: str | None) -> Screens | None:
    """Import the pages by the place that the composition root named; none where it named none."""
    if place is None:
        return None
    module, _, name = place.partition(":")
    found: Screens = getattr(import_module(module), name)
    return found
