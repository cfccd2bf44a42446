"""`tillwire connectors`: list the catalogue, run an emulator of a system."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from runpy import run_module
from typing import Annotated

import typer

from app.cli.answer import AsJson, plainly, show_rows
from app.connections.declared import declared_manifest
from connectors.registry import names
from infra.errors import PlatformError

commands = typer.Typer(help="The catalogue of systems.", no_args_is_help=True)

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
