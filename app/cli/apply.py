"""`tillwire apply FILE`: make partners, retailers, connections and flows as a file says."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.apply.apply import Applied, apply_file
from app.apply.hooks_file import write_hooks
from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.processes.floor import open_floor

STATEMENT_TIMEOUT_S = 30.0


@plainly
def run_apply(
    file: Annotated[Path, typer.Argument(help="The configuration file (YAML).")],
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would change.")] = False,
    hooks_file: Annotated[
        Path | None, typer.Option(help="Write new hook paths here (JSON, mode 0600).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the platform as the file says; the second time nothing is left to do."""
    applied = asyncio.run(_apply(file, only_plan=plan))
    if hooks_file is not None and applied.hooks:
        write_hooks(hooks_file, applied.hooks)
    # A hook path opens the door to a connection: with a file it is not shown as well.
    _show(applied, {} if hooks_file else applied.hooks, as_json=as_json)


async def _apply(file: Path, *, only_plan: bool) -> Applied:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        return await apply_file(file, floor.database, floor.vault, only_plan=only_plan)


def _show(applied: Applied, hooks: dict[str, str], *, as_json: bool) -> None:
    changes = [asdict(change) for change in applied.changes]
    if as_json:
        show_json({"changes": changes, "hooks": hooks})
        return
    show_rows("Changes", changes, as_json=False)
    if hooks:
        rows = [{"connection": place, "path": path} for place, path in hooks.items()]
        show_rows("Hook addresses, shown only now", rows, as_json=False)
