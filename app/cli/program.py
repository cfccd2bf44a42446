"""The program: every command by its name; adding one is adding a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from app.cli import connectors, hooks, keys
from app.cli.apply import run_apply
from app.cli.ledger import run_ledger
from app.cli.measure import run_bench, run_chaos
from app.cli.migrate import run_migrate
from app.cli.processes import scheduler, web, worker
from app.cli.trace import run_trace
from app.cli.up import run_demo

program = typer.Typer(
    name="tillwire",
    help="Retail integration platform that partners run for their retailers.",
    no_args_is_help=True,
    # Local variables hold credentials; a trace of them must not reach a terminal or a log.
    pretty_exceptions_enable=False,
)

COMMANDS: dict[str, Callable[..., Any]] = {
    "up": run_demo,
    "migrate": run_migrate,
    "web": web,
    "worker": worker,
    "scheduler": scheduler,
    "apply": run_apply,
    "ledger": run_ledger,
    "trace": run_trace,
}
# These hand all their arguments on to another program.
PASSED_ON: dict[str, Callable[..., Any]] = {"bench": run_bench, "chaos": run_chaos}
GROUPS = {
    "keys": keys.commands,
    "hooks": hooks.commands,
    "connectors": connectors.commands,
}

for _name, _command in COMMANDS.items():
    program.command(_name)(_command)
for _name, _command in PASSED_ON.items():
    program.command(
        _name, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
    )(_command)
for _name, _group in GROUPS.items():
    program.add_typer(_group, name=_name)
