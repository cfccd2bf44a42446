"""How a command answers: a table or JSON on standard output, a plain sentence when it refuses."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from infra.errors import PlatformError

EXIT_REFUSED = 2

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def plainly(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Turn a refusal into its sentence on standard error and exit code 2."""

    @functools.wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return command(*args, **kwargs)
        except PlatformError as refusal:
            typer.echo(refusal.detail, err=True)
            raise typer.Exit(EXIT_REFUSED) from None

    return run


def show_rows(title: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Write rows (all with the same keys) as a table, or as a JSON list."""
    if as_json:
        show_json(list(rows))
        return
    if not rows:
        typer.echo(f"{title}: none")
        return
    table = Table(title=title, title_justify="left")
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    Console().print(table, markup=False)


def show_json(value: Any) -> None:
    """Write one JSON document."""
    typer.echo(json.dumps(value, indent=2, default=str))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
