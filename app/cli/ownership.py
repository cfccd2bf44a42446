"""`tillwire ownership`: who owns what, what a change would do, and what is frozen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar, cast, get_args

import typer

from app.cli.answer import AsJson, plainly, show_rows
from app.cli.names import aware, find_connection, in_retailer
from app.ownership.adopt import adopt_defaults, wanted_by_default
from app.ownership.facts import facts_of, stated_of
from app.ownership.freeze import list_frozen, thaw
from app.ownership.groups import Group, OnForeign
from app.ownership.listing import set_rules, usual_owners
from app.ownership.matrix import EVERYWHERE, Wanted
from app.ownership.preview import Preview, preview_rules
from app.ownership.set_rule import set_rule
from infra import clock
from infra.database.unit import Session
from infra.errors import PlatformError
from infra.ids import Id

commands = typer.Typer(no_args_is_help=True)

_T = TypeVar("_T")
Act = Callable[[Session], Awaitable[_T]]
RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
GroupName = Annotated[str, typer.Argument(help="stock, price, promotion, product.core, ...")]
Owner = Annotated[str, typer.Argument(help="Name of the connection; `nobody` for nobody.")]
Reason = Annotated[str, typer.Option(help="Why; stands in the audit log.", prompt=True)]
PlaceName = Annotated[str, typer.Option("--place", help="A location or channel only.")]
Also = Annotated[list[str] | None, typer.Option("--also", help="A connection that may write too.")]
Foreign = Annotated[
    str, typer.Option("--on-foreign", help="accept, hold, refuse or restore: writes of others.")
]
From = Annotated[datetime | None, typer.Option("--from", help="From when on; without it now.")]
NOBODY = "nobody"


@commands.callback()
def ownership() -> None:
    """Who may say what about a retailer's articles, prices and stock."""


@commands.command("list")
@plainly
def list_matrix(retailer: RetailerName, *, as_json: AsJson = False) -> None:
    """Show every group: who usually owns it, and what was decided."""

    async def act(session: Session) -> list[dict[str, Any]]:
        names, decided = await _names(session), await set_rules(session)
        rows = []
        for group, usual in (await usual_owners(session)).items():
            rules = [each for each in decided if each.group == group and each.counts]
            rows += [
                _row(group, names, each.owner_id, each.place, each.on_foreign) for each in rules
            ]
            if not rules:
                rows.append(_row(group, names, usual.owner_id, EVERYWHERE, "not decided"))
        return rows

    show_rows("Ownership", _run(retailer, act), as_json=as_json)


@commands.command("set")
@plainly
def set_one(  # noqa: PLR0913 - each says something else about the rule
    retailer: RetailerName,
    group: GroupName,
    owner: Owner,
    *,
    reason: Reason,
    place: PlaceName = EVERYWHERE,
    also: Also = None,
    on_foreign: Foreign = "hold",
    since: From = None,
    as_json: AsJson = False,
) -> None:
    """Decide who owns a group, everywhere or at one place."""

    async def act(session: Session) -> Id:
        wanted = await _wanted(
            *(session, group, owner, place),
            also=also or [],
            on_foreign=on_foreign,
            since=since,
            reason=reason,
        )
        return await set_rule(session, wanted)

    show_rows("Rule", [{"id": _run(retailer, act)}], as_json=as_json)


@commands.command("preview")
@plainly
def preview(  # noqa: PLR0913 - as above
    retailer: RetailerName,
    group: GroupName,
    owner: Owner,
    *,
    place: PlaceName = EVERYWHERE,
    also: Also = None,
    on_foreign: Foreign = "hold",
    as_json: AsJson = False,
) -> None:
    """Say which flows would write what they do not own; nothing is written."""

    async def act(session: Session) -> Preview:
        wanted = await _wanted(
            *(session, group, owner, place), also=also or [], on_foreign=on_foreign, reason="A try."
        )
        return await preview_rules(session, [wanted])

    _show_preview(_run(retailer, act), as_json=as_json)


@commands.command("adopt")
@plainly
def adopt(
    retailer: RetailerName,
    *,
    only_preview: Annotated[
        bool, typer.Option("--preview", help="Only say what it would do.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take over the default matrix where it is clear who is meant."""

    async def act(session: Session) -> list[dict[str, Any]]:
        names = await _names(session)
        wanted = await (wanted_by_default if only_preview else adopt_defaults)(session)
        return [
            _row(each.group, names, each.owner_id, each.place, each.on_foreign) for each in wanted
        ]

    show_rows("Would be set" if only_preview else "Set", _run(retailer, act), as_json=as_json)


@commands.command("frozen")
@plainly
def frozen(retailer: RetailerName, *, as_json: AsJson = False) -> None:
    """List what two systems kept overwriting, and is not sent on."""

    async def act(session: Session) -> list[dict[str, Any]]:
        names = await _names(session)
        return [
            {
                "attribute": each.attribute,
                "object": each.object_id,
                "place": each.place,
                "last said by": names[each.connection_id],
                "frozen at": each.frozen_at,
            }
            for each in await list_frozen(session)
        ]

    show_rows("Frozen", _run(retailer, act), as_json=as_json)


@commands.command("thaw")
@plainly
def thaw_one(
    retailer: RetailerName,
    attribute: Annotated[str, typer.Argument(help="As listed, such as stock.available.")],
    object_id: Annotated[str, typer.Argument(help="Our number of the object.")],
    *,
    reason: Reason,
    place: PlaceName = EVERYWHERE,
) -> None:
    """Let it be told again; what was held meanwhile stays held for a person."""
    _run(retailer, lambda session: thaw(session, attribute, object_id, place, reason))


@commands.command("facts")
@plainly
def facts(
    retailer: RetailerName,
    object_id: Annotated[str, typer.Argument(help="The source's id, or our number.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show who said what of an object, when, under which version of the contract."""

    async def act(session: Session) -> list[dict[str, Any]]:
        said = [
            {
                "what": each.type,
                "said by": each.said_by,
                "at": each.occurred_at,
                "value": each.label,
                "contract": each.contract,
            }
            for each in await facts_of(session, object_id)
        ]
        last = [
            {
                "what": f"{each.attribute} {each.place}".strip(),
                "said by": each.said_by,
                "at": each.stated_at,
                "value": each.value,
                "contract": each.contract,
            }
            for each in await stated_of(session, object_id)
        ]
        return [*last, *said]

    show_rows("Facts", _run(retailer, act), as_json=as_json)


def _run(retailer: str, act: Act[_T]) -> _T:
    return asyncio.run(in_retailer(retailer, act))


async def _names(session: Session) -> dict[Id | None, str]:
    rows = await session.fetch("select id, name from connection")
    return {None: "", **{row["id"]: row["name"] for row in rows}}


async def _wanted(  # noqa: PLR0913 - each says something else about the rule
    session: Session,
    group: str,
    owner: str,
    place: str,
    *,
    also: list[str],
    on_foreign: str,
    reason: str,
    since: datetime | None = None,
) -> Wanted:
    for written, allowed in ((group, get_args(Group)), (on_foreign, get_args(OnForeign))):
        if written not in allowed:
            words = f"Write one of {', '.join(allowed)}."
            raise PlatformError(words, code="cli.choice_unknown")
    return Wanted(
        cast("Group", group),
        None if owner == NOBODY else await find_connection(session, owner),
        reason,
        aware(since) if since else clock.now(),
        place,
        frozenset([await find_connection(session, each) for each in also]),
        cast("OnForeign", on_foreign),
    )


def _row(
    group: str, names: dict[Id | None, str], owner_id: Id | None, place: str, on_foreign: str
) -> dict[str, Any]:
    return {
        "group": group,
        "place": place,
        "owner": names[owner_id] or NOBODY,
        "writes of others": on_foreign,
    }


def _show_preview(found: Preview, *, as_json: bool) -> None:
    rows = [
        {
            "flow": each.flow,
            "source": each.source,
            "group": each.group,
            "place": each.place,
            "would be": each.on_foreign,
            "objects": each.subjects,
        }
        for each in found.offending
    ]
    show_rows(found.words, rows, as_json=as_json)
