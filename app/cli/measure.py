"""`tillwire bench` and `tillwire chaos`: measure the engine, and try to make it lose something."""

from __future__ import annotations

import typer

from app.cli.answer import plainly
from app.cli.source_tree import run_beside_source


@plainly
def run_bench(context: typer.Context) -> None:
    """Measure what the engine does on this machine; arguments are handed on (also --json)."""
    raise typer.Exit(run_beside_source("tests.benchmarks", context.args))


@plainly
def run_chaos(context: typer.Context) -> None:
    """Kill servers and workers under load and prove that nothing was lost (also --json)."""
    raise typer.Exit(run_beside_source("tests.chaos", context.args))
