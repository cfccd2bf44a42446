"""`tillwire up`: the demo retailer on this machine, from nothing to the first delivered order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.cli.answer import plainly
from app.demo.place import Options
from app.demo.up import run_up


@plainly
def run_demo(
    *,
    data: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path(".tillwire"),
    port: Annotated[int, typer.Option(help="Port of the API on 127.0.0.1.")] = 8000,
    orders_per_s: Annotated[float, typer.Option(help="Pace of the web shop.")] = 0.5,
    ticket_every_s: Annotated[float, typer.Option(help="Pace of the tills (seconds).")] = 2.0,
    until_delivered: Annotated[
        bool, typer.Option("--until-delivered", help="End after the first delivered order.")
    ] = False,
    export: Annotated[
        Path | None, typer.Option(hidden=True, help="Write the last picture here (SVG).")
    ] = None,
) -> None:
    """Run the demo retailer: embedded servers, a real ERP, a web shop, tills, and live books."""
    options = Options(data, port, orders_per_s, ticket_every_s, until_delivered, export)
    asyncio.run(run_up(options, Console()))
