"""`tillwire trace REFERENCE`: the life line of one order, ticket or article, as the book has it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.retailers import chosen_retailers
from app.health.trace import Trace, trace
from app.processes.floor import open_floor
from infra.errors import Unprocessable

STATEMENT_TIMEOUT_S = 60.0
EXIT_UNKNOWN = 1

Traces = dict[str, Trace]


@plainly
def run_trace(
    reference: Annotated[str, typer.Argument(help="An order number, article number or id.")],
    *,
    tenant: Annotated[str, typer.Option(help="partner/retailer; all when left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tell all that happened to an order, a ticket or an article; exit code 1 when nothing did."""
    if not reference.strip() or not reference.isprintable():
        raise Unprocessable("Name an order number, an article number or an id.")
    traces = asyncio.run(_read(reference, tenant))
    if as_json:
        show_json([{"retailer": name, **asdict(traced)} for name, traced in traces.items()])
    else:
        for name, traced in traces.items():
            more = ", the newest part" if traced.is_cut else ""
            show_rows(f"{reference} at {name}{more}", _rows(traced), as_json=False)
    if not traces:
        typer.echo(f"Nothing is known of {reference}.", err=True)
        raise typer.Exit(EXIT_UNKNOWN)


async def _read(reference: str, tenant: str) -> Traces:
    found: Traces = {}
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        for name, scope in await chosen_retailers(tenant, floor.database):
            traced = await trace(scope, floor.database, reference)
            if traced.entries:
                found[name] = traced
    return found


def _rows(traced: Trace) -> list[dict[str, Any]]:
    return [
        {
            "at (UTC)": f"{entry.at:%Y-%m-%d %H:%M:%S}.{entry.at.microsecond // 1000:03d}",
            "what": entry.kind,
            "words": entry.words,
        }
        for entry in traced.entries
    ]
