"""The program: every command by its name; adding one is adding a line.

A command's module is imported when the command is run, so that a worker does not carry what only
the demo or the API needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from infra.numbers import keep_numbers_exact


class Places(Mapping[str, Any]):
    """Commands by name; one is imported from its `module:name` when it is looked up."""

    def __init__(self, places: dict[str, str]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> Any:
        """Import one command, or one group of commands."""
        module, _, attribute = self._places[name].partition(":")
        return getattr(import_module(module), attribute)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


COMMANDS = Places(
    {
        "up": "app.cli.up:run_demo",
        "migrate": "app.cli.migrate:run_migrate",
        "web": "app.cli.web:web",
        "worker": "app.cli.worker:worker",
        "scheduler": "app.cli.scheduler:scheduler",
        "duties": "app.cli.duties:run_duties",
        "apply": "app.cli.apply:run_apply",
        "ledger": "app.cli.ledger:run_ledger",
        "trace": "app.cli.trace:run_trace",
    }
)
# These hand all their arguments on to another program.
PASSED_ON = Places({"bench": "app.cli.measure:run_bench", "chaos": "app.cli.measure:run_chaos"})
GROUPS = Places(
    {
        "demo": "app.cli.demo:commands",
        "keys": "app.cli.keys:commands",
        "people": "app.cli.people:commands",
        "hooks": "app.cli.hooks:commands",
        "connections": "app.cli.connections:commands",
        "flows": "app.cli.flows:commands",
        "overrides": "app.cli.overrides:commands",
        "exceptions": "app.cli.exceptions:commands",
        "connectors": "app.cli.connectors:commands",
        "incidents": "app.cli.incidents:commands",
        "replay": "app.cli.replay:commands",
        "alerts": "app.cli.alerts:commands",
        "storeday": "app.cli.storeday:commands",
        "journals": "app.cli.journals:commands",
        "settlements": "app.cli.settlements:commands",
        "orders": "app.cli.orders:commands",
        "prices": "app.cli.prices:commands",
        "names": "app.cli.names:commands",
        "ownership": "app.cli.ownership:commands",
        "returns": "app.cli.returns:commands",
        "articles": "app.cli.articles:commands",
        "stock": "app.cli.stock:commands",
        "channels": "app.cli.channels:commands",
    }
)

_PASS_ALL = {"allow_extra_args": True, "ignore_unknown_options": True}


class _ByName(TyperGroup):
    """Finds a command's module only when the command, or the list of all, is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name all commands in the order of the tables."""
        return [*COMMANDS, *PASSED_ON, *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Give one command; None when there is none of that name."""
        if cmd_name in GROUPS:
            return _named(get_command(GROUPS[cmd_name]), cmd_name)
        found = COMMANDS.get(cmd_name) or PASSED_ON.get(cmd_name)
        if found is None:
            return None
        alone = typer.Typer(add_completion=False)
        settings = _PASS_ALL if cmd_name in PASSED_ON else None
        alone.command(cmd_name, context_settings=settings)(found)
        return _named(get_command(alone), cmd_name)


def _named(command: Any, name: str) -> Any:
    command.name = name
    return command


program = typer.Typer(
    cls=_ByName,
    name="tillwire",
    no_args_is_help=True,
    # Local variables hold credentials; a trace of them must not reach a terminal or a log.
    pretty_exceptions_enable=False,
)


@program.callback()
def tillwire() -> None:
    """Retail integration platform that partners run for their retailers."""
    keep_numbers_exact()
