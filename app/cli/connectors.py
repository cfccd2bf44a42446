"""`tillwire connectors`: list the catalogue, check a connector, run an emulator of a system."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from runpy import run_module
from typing import Annotated

import typer

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.connections.declared import declared_manifest
from connectors.lab import Card, figures, render, write_card
from connectors.lab import check as check_connector
from connectors.registry import names
from infra.errors import PlatformError

commands = typer.Typer(help="The catalogue of systems.", no_args_is_help=True)

EXIT_FAILED = 1

_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@commands.command("list")
@plainly
def show(*, as_json: AsJson = False) -> None:
    """List the systems that can be connected."""
    rows = [
        {
            "name": each.name,
            "title": each.title,
            "roles": each.roles,
            "receives": each.receives,
            "actions": [action.name for action in each.actions],
        }
        for each in map(declared_manifest, names())
    ]
    show_rows("Connectors", rows, as_json=as_json)


@commands.command("check")
@plainly
def check(
    name: Annotated[str | None, typer.Argument(help="Which system; all when left out.")] = None,
    *,
    card: Annotated[
        Path | None, typer.Option(help="Folder to write one card per system to (NAME.json).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try connectors with everything they must hold to, without network; exit code 1 on a fault."""
    wanted = names() if name is None else (declared_manifest(name).name,)
    cards = [check_connector(each) for each in wanted]
    if card is not None:
        _write_cards(card, cards)
    if as_json:
        show_json([figures(each) for each in cards])
    else:
        typer.echo("\n\n".join(map(render, cards)))
    if any(each.failed for each in cards):
        raise typer.Exit(EXIT_FAILED)


@commands.command("emulate", context_settings=_PASS_ON)
@plainly
def emulate(
    context: typer.Context, name: Annotated[str, typer.Argument(help="Which system.")]
) -> None:
    """Run the emulator of a system; further arguments are handed to it."""
    declared_manifest(name)
    module = f"connectors.catalog.{name}.emulator"
    if find_spec(module) is None:
        raise PlatformError(f"{name} has no emulator.", code="connector.no_emulator")
    sys.argv = [module, *context.args]
    # In this very process, so that a signal to the command reaches the emulator.
    run_module(module, run_name="__main__", alter_sys=True)


def _write_cards(folder: Path, cards: list[Card]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in cards:
            write_card(each, folder / f"{each.connector}.json")
    except OSError as fault:
        raise PlatformError(
            f"The cards cannot be written to {folder}: {fault.strerror}.",
            code="connector.card_unwritable",
        ) from None
