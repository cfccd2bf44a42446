"""`tillwire incidents`: what is wrong now, what it costs and who is on it; act on one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.owner import SCOPE
from app.cli.retailers import chosen_retailers
from app.exceptions.incidents.assign import Assignment, assign_incident
from app.exceptions.incidents.comment import comment_incident
from app.exceptions.incidents.incident import Incident
from app.exceptions.incidents.nouns import counted, money, plain
from app.exceptions.incidents.read import (
    IncidentFilter,
    IncidentView,
    list_incidents,
    read_incident,
)
from app.exceptions.incidents.resolve import resolve_incident
from app.processes.floor import open_floor
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import NotFound, PlatformError
from infra.ids import Id

STATEMENT_TIMEOUT_S = 60.0
LISTED_MAX = 100
SHORT_ID = 12
_TAIL_MIN = 6

_T = TypeVar("_T")
IncidentId = Annotated[str, typer.Argument(help="Its id, or the end of it as the list shows it.")]


class _ListsByDefault(TyperGroup):
    """Takes what is no command of its own for the retailer whose incidents are listed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `list` before arguments that begin with no known command."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["list", *args]
        return super().parse_args(ctx, args)


commands = typer.Typer(cls=_ListsByDefault, help="Incidents: list, show, assign, comment, resolve.")


@commands.command("list")
@plainly
def show_all(
    retailer: Annotated[str, typer.Argument(help="partner/retailer; all when left out.")] = "",
    *,
    is_any: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what is wrong now, the most pressing first."""
    found = asyncio.run(_read_all(retailer, is_any=is_any))
    rows = [_row(name, each, with_retailer=not retailer) for name, each in found]
    if as_json:
        show_json([{"retailer": name, **_facts(each)} for name, each in found])
        return
    show_rows(f"Incidents: {len(rows)}", rows, as_json=False)


@commands.command("show")
@plainly
def show_one(incident: IncidentId, *, as_json: AsJson = False) -> None:
    """Show one incident: what it costs, why, what to do first, records, history."""
    view = asyncio.run(_with(incident, read_incident))
    if as_json:
        show_json({**_facts(view.incident), "next_step": view.next_step, "history": _history(view)})
        return
    for line in _lines(view):
        typer.echo(line)
    show_rows("Some of the records", _samples(view), as_json=False)
    show_rows("History", _history(view), as_json=False)


@commands.command("assign")
@plainly
def assign(
    incident: IncidentId,
    owner: Annotated[str, typer.Argument(help="Who takes it; empty: nobody.")] = "",
) -> None:
    """Say who is on it."""

    async def act(scope: TenantScope, database: Database, found: Id) -> Incident:
        return await assign_incident(scope, database, found, Assignment(owner))

    after = asyncio.run(_with(incident, act))
    typer.echo(f"{after.title}: {after.owner or 'nobody'} is on it.")


@commands.command("comment")
@plainly
def comment(
    incident: IncidentId, words: Annotated[str, typer.Argument(help="The remark.")]
) -> None:
    """Leave a remark."""

    async def act(scope: TenantScope, database: Database, found: Id) -> Id:
        return await comment_incident(scope, database, found, words)

    typer.echo(f"Noted as {asyncio.run(_with(incident, act))}.")


@commands.command("resolve")
@plainly
def resolve(
    incident: IncidentId, words: Annotated[str, typer.Argument(help="Why it is over.")]
) -> None:
    """Close it; refused while records are held or wait."""

    async def act(scope: TenantScope, database: Database, found: Id) -> Incident:
        return await resolve_incident(scope, database, found, words)

    typer.echo(f"Closed: {asyncio.run(_with(incident, act)).title}.")


async def _read_all(retailer: str, *, is_any: bool) -> list[tuple[str, Incident]]:
    wanted = IncidentFilter(state="any" if is_any else "open")
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        found = [
            (name, incident)
            for name, scope in await chosen_retailers(retailer, floor.database)
            for incident in await list_incidents(scope, floor.database, wanted, LISTED_MAX)
        ]
    return sorted(found, key=lambda each: each[1].weight, reverse=True)


async def _with(text: str, act: Callable[[TenantScope, Database, Id], Awaitable[_T]]) -> _T:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        tenant_id, incident_id = await _find(text, floor.database)
        return await act(TenantScope(tenant_id, SCOPE.actor), floor.database, incident_id)


async def _find(text: str, database: Database) -> tuple[Id, Id]:
    """Find an incident by its id or the end of it; raises NotFound, or PlatformError for several."""
    if len(text) < _TAIL_MIN or not text.replace("-", "").isalnum():
        raise NotFound
    async with begin(SCOPE, database) as session:
        rows = await session.fetch(
            "select tenant_id, id from incident where right(id::text, $2) = $1 limit 2",
            text.lower(),
            len(text),
        )
    if not rows:
        raise NotFound
    if len(rows) > 1:
        raise PlatformError("Several incidents end so. Write more of the id.")
    return rows[0]["tenant_id"], rows[0]["id"]


def _row(name: str, incident: Incident, *, with_retailer: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"id": str(incident.id)[-SHORT_ID:]}
    if with_retailer:
        row["retailer"] = name
    return {
        **row,
        "what": incident.title,
        "state": f"{incident.state}, {incident.severity}/3",
        "records": f"{incident.records:,}",
        "at risk": money(incident.at_risk),
        "shops": ", ".join(incident.shops),
        "first deadline (UTC)": f"{incident.deadline_at:%d %b %H:%M}"
        if incident.deadline_at
        else "",
        "owner": incident.owner or "nobody",
        "change before": (incident.cause or {}).get("words", ""),
    }


def _facts(incident: Incident) -> dict[str, Any]:
    return {
        "id": str(incident.id),
        "title": incident.title,
        "words": incident.words,
        "state": incident.state,
        "severity": incident.severity,
        "held": incident.held,
        "waiting": incident.waiting,
        "at_risk": {currency: plain(each) for currency, each in incident.at_risk.items()},
        "shops": incident.shops,
        "deadline_at": incident.deadline_at,
        "owner": incident.owner,
        "cause": incident.cause,
        "runbook": incident.runbook,
        "since_at": incident.since_at,
    }


def _lines(view: IncidentView) -> list[str]:
    incident = view.incident
    cause = (incident.cause or {}).get("words", "not known")
    owner = incident.owner or "nobody"
    return [
        f"{incident.title}.",
        incident.words,
        f"State: {incident.state}, severity {incident.severity} of 3; owner: {owner}.",
        f"At most it was {counted(incident.peak, 'record')}.",
        f"From {', '.join(view.channels) or 'nowhere'}; flows: {', '.join(view.flows) or 'none'}.",
        f"Change before: {cause}",
        f"Do first: {view.next_step}",
        f"Runbook: docs/runbooks/{incident.runbook}.md",
    ]


def _samples(view: IncidentView) -> list[dict[str, Any]]:
    return [
        {
            "record": each.label,
            "money": f"{plain(each.amount)} {each.currency}" if each.amount is not None else "",
            "words": each.words,
        }
        for each in view.samples
    ]


def _history(view: IncidentView) -> list[dict[str, Any]]:
    return [
        {
            "at (UTC)": f"{each.at:%Y-%m-%d %H:%M:%S}",
            "what": each.kind,
            "by": each.actor,
            "words": each.words,
        }
        for each in view.moments
    ]
