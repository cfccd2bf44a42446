"""`tillwire stock oversells` and `resolve`: orders for which there are no goods, and how each ends."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, cast, get_args

import typer

from app.cli.answer import AsJson, plainly, show_rows
from app.cli.names import in_retailer
from app.cli.owner import SCOPE, find_retailer
from app.processes.floor import open_floor
from app.retail.inventory.oversell import Decision, OversellCase, list_cases, resolve_case
from connectors.canonical.oversell import OversellResolution
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import NotFound, PlatformError
from infra.ids import parse_id

STATEMENT_TIMEOUT_S = 60.0
MOST_ROWS = 500

RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]


@plainly
def oversells(
    retailer: RetailerName,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """List orders for which there are no goods, each with what could be done."""

    async def act(session: Session) -> list[OversellCase]:
        return await list_cases(session, "" if every else "open", None, MOST_ROWS)

    rows = [_case(each) for each in asyncio.run(in_retailer(retailer, act))]
    show_rows("Oversell cases", rows, as_json=as_json)


@plainly
def resolve(  # noqa: PLR0913 - one option for each part of the decision
    retailer: RetailerName,
    case: Annotated[str, typer.Argument(help="Id of the case.")],
    resolution: Annotated[str, typer.Argument(help="re_source, substitute, backorder, cancel")],
    *,
    location: Annotated[str, typer.Option(help="Which place sends it.")] = "",
    substitute: Annotated[str, typer.Option(help="Which article is sent instead.")] = "",
    message: Annotated[str, typer.Option(help="What the customer is told.")] = "",
    as_json: AsJson = False,
) -> None:
    """Decide how an order without goods ends; the decision goes out as an event."""
    if resolution not in get_args(OversellResolution):
        words = f"Write one of {', '.join(get_args(OversellResolution))}."
        raise PlatformError(words, code="cli.choice_unknown")
    decision = Decision(cast("OversellResolution", resolution), location, substitute, None, message)
    row = _case(asyncio.run(_resolve(retailer, case, decision)))
    show_rows("Oversell case", [row], as_json=as_json)


async def _resolve(retailer: str, case: str, decision: Decision) -> OversellCase:
    known = parse_id(case)
    if known is None:
        raise NotFound
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        scope = TenantScope(await find_retailer(retailer, floor.database), SCOPE.actor)
        key = await floor.vault.current(scope.tenant_id)
        async with begin(scope, floor.database) as session:
            return await resolve_case(session, key, known, decision)


def _case(case: OversellCase) -> dict[str, Any]:
    money = f"{case.amount.normalize():f} {case.currency}" if case.amount is not None else ""
    return {
        "id": str(case.id),
        "channel": case.channel,
        "order": case.order_id,
        "article": case.sku,
        "units": f"{case.units.normalize():f}",
        "money": money,
        "state": case.state,
        "what to do": case.resolution or case.proposal.words,
    }
