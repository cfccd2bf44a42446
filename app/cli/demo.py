"""`tillwire demo`: stories that show what the product does when things go wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.cli.answer import plainly
from app.demo.monday.run import run_monday
from app.demo.monday.world import Weekend
from app.demo.show import COLUMNS, WITHOUT_FONTS

EXIT_FAILED = 1

commands = typer.Typer(help="Stories on emulated systems.", no_args_is_help=True)


@commands.callback()
def stories() -> None:
    """Play stories on emulated systems."""


@commands.command("monday")
@plainly
def monday(
    *,
    data: Annotated[Path, typer.Option(help="Folder of its own; emptied at each start.")] = Path(
        ".tillwire/monday"
    ),
    small: Annotated[bool, typer.Option("--small", help="A few hundred records only.")] = False,
    export: Annotated[
        Path | None, typer.Option(hidden=True, help="Write what was said here (SVG).")
    ] = None,
) -> None:
    """Play a bad weekend: an ERP down, a token revoked, a wrong mapping; then put it right."""
    weekend = SMALL if small else Weekend()
    console = Console(record=export is not None, width=COLUMNS if export else None)
    result = asyncio.run(run_monday(data, weekend, console))
    if export is not None:
        drawn = console.export_svg(title="tillwire demo monday", code_format=WITHOUT_FONTS)
        export.write_text(drawn, encoding="utf-8")
    if not result.is_good:
        raise typer.Exit(EXIT_FAILED)


SMALL = Weekend(orders=200, shipments=90, spoiled=40, calm=20)
