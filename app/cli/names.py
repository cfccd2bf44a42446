"""`tillwire names`: what systems call a retailer's objects, and since when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar, cast, get_args

import typer

from app.cli.answer import AsJson, plainly, show_rows
from app.cli.owner import SCOPE, find_retailer
from app.identities.bind import bind_name, end_binding, make_identity, rename_object
from app.identities.bindings import ALWAYS, Kind, Name
from app.identities.history import meanings
from app.identities.merge import merge_identities, split_identity
from app.identities.review import accept_match, open_matches, reject_matches
from app.identities.search import names_today
from app.identities.store import Grounds
from app.processes.floor import open_floor
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import NotFound, PlatformError
from infra.ids import Id, parse_id

STATEMENT_TIMEOUT_S = 60.0
MOST_LISTED = 1_000

commands = typer.Typer(no_args_is_help=True)

_T = TypeVar("_T")
Act = Callable[[Session], Awaitable[_T]]
RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
ConnectionName = Annotated[str, typer.Argument(help="Name of the connection.")]
ExternalId = Annotated[str, typer.Argument(help="What the system calls the object.")]
KindName = Annotated[str, typer.Option("--kind", help="variant, customer, location, ...")]
Reason = Annotated[str, typer.Option(help="Why; stands in the audit log.", prompt=True)]
At = Annotated[
    datetime, typer.Option("--at", help="From when on: 2026-11-20T12:00:00, UTC without a zone.")
]

Since = Annotated[datetime, typer.Option("--since", help="From when on; without it since ever.")]


@commands.callback()
def names() -> None:
    """Names of a retailer's objects in its systems, and matches that wait for a person."""


@commands.command("list")
@plainly
def list_names(
    retailer: RetailerName,
    connection: ConnectionName,
    *,
    kind: KindName = "variant",
    after: Annotated[str, typer.Option(help="Go on behind this name.")] = "",
    as_json: AsJson = False,
) -> None:
    """List what a system calls things today, with our numbers."""

    async def act(session: Session) -> list[dict[str, Any]]:
        name = await _name(session, connection, kind, "")
        found = await names_today(session, name.connection_id, name.kind, after, MOST_LISTED)
        return [
            {
                "name": each.external_id,
                "number": each.number,
                "label": each.label,
                "since": each.valid_from,
                "object": each.identity_id,
            }
            for each in found
        ]

    show_rows("Names", _run(retailer, act), as_json=as_json)


@commands.command("show")
@plainly
def show(
    retailer: RetailerName,
    connection: ConnectionName,
    external_id: ExternalId,
    *,
    kind: KindName = "variant",
    as_json: AsJson = False,
) -> None:
    """Show all that a name meant, oldest first."""

    async def act(session: Session) -> list[dict[str, Any]]:
        name = await _name(session, connection, kind, external_id)
        return [asdict(each) for each in await meanings(session, name)]

    show_rows("Meanings", _run(retailer, act), as_json=as_json)


@commands.command("bind")
@plainly
def bind(  # noqa: PLR0913 - each says something else about the name
    retailer: RetailerName,
    connection: ConnectionName,
    external_id: ExternalId,
    *,
    reason: Reason,
    to: Annotated[str, typer.Option(help="Id of the object; without one a new one is made.")] = "",
    label: Annotated[str, typer.Option(help="What people call a new object.")] = "",
    kind: KindName = "variant",
    since: Since = ALWAYS,
    as_json: AsJson = False,
) -> None:
    """Let a name mean an object, from a moment on or since ever."""

    async def act(session: Session) -> Id:
        name = await _name(session, connection, kind, external_id)
        identity_id = _id(to) if to else await make_identity(session, name.kind, label, external_id)
        await bind_name(session, name, identity_id, Grounds(reason), aware(since))
        return identity_id

    show_rows("Object", [{"id": _run(retailer, act)}], as_json=as_json)


@commands.command("end")
@plainly
def end(
    retailer: RetailerName,
    connection: ConnectionName,
    external_id: ExternalId,
    *,
    at: At,
    reason: Reason,
    kind: KindName = "variant",
) -> None:
    """Let a name mean nothing any more; what happened before stays as it was."""

    async def act(session: Session) -> None:
        name = await _name(session, connection, kind, external_id)
        await end_binding(session, name, aware(at), reason)

    _run(retailer, act)


@commands.command("rename")
@plainly
def rename(  # noqa: PLR0913 - as above
    retailer: RetailerName,
    connection: ConnectionName,
    external_id: ExternalId,
    new: Annotated[str, typer.Argument(help="What the system calls it from then on.")],
    *,
    at: At,
    reason: Reason,
    kind: KindName = "variant",
) -> None:
    """Let an object be called otherwise from a moment on."""

    async def act(session: Session) -> None:
        old = await _name(session, connection, kind, external_id)
        changed = Name(old.connection_id, old.kind, new)
        await rename_object(session, old, changed, aware(at), reason)

    _run(retailer, act)


@commands.command("merge")
@plainly
def merge(
    retailer: RetailerName,
    loser: Annotated[str, typer.Argument(help="Id of the object that ends.")],
    winner: Annotated[str, typer.Argument(help="Id of the object that it is.")],
    *,
    at: At,
    reason: Reason,
) -> None:
    """Say that two objects are one: all names of the first mean the second from then on."""

    async def act(session: Session) -> None:
        await merge_identities(session, _id(loser), _id(winner), aware(at), reason)

    _run(retailer, act)


@commands.command("split")
@plainly
def split(  # noqa: PLR0913 - as above
    retailer: RetailerName,
    identity: Annotated[str, typer.Argument(help="Id of the object that is two.")],
    connection: ConnectionName,
    external_ids: Annotated[list[str], typer.Argument(help="Names of the new one.")],
    *,
    at: At,
    reason: Reason,
    kind: KindName = "variant",
    as_json: AsJson = False,
) -> None:
    """Say that an object is two: some of its names mean a new one from then on."""

    async def act(session: Session) -> Id:
        moved = [await _name(session, connection, kind, each) for each in external_ids]
        return await split_identity(session, _id(identity), moved, aware(at), reason)

    show_rows("New object", [{"id": _run(retailer, act)}], as_json=as_json)


@commands.command("matches")
@plainly
def matches(retailer: RetailerName, connection: ConnectionName, *, as_json: AsJson = False) -> None:
    """List probable matches that wait for a person, the most probable first."""

    async def act(session: Session) -> list[dict[str, Any]]:
        found = await open_matches(session, await find_connection(session, connection))
        return [
            {
                "id": each.id,
                "name": each.name.external_id,
                "kind": each.name.kind,
                "candidate": each.candidate_id,
                "score": each.score_0_1,
                "reasons": ", ".join(each.reasons),
            }
            for each in found
        ]

    show_rows("Matches", _run(retailer, act), as_json=as_json)


@commands.command("accept")
@plainly
def accept(
    retailer: RetailerName, match: Annotated[str, typer.Argument(help="Id of the match.")]
) -> None:
    """Let the name mean the candidate; its other candidates are rejected."""
    _run(retailer, lambda session: accept_match(session, _id(match)))


@commands.command("reject")
@plainly
def reject(
    retailer: RetailerName,
    ids: Annotated[list[str], typer.Argument(help="Ids of matches.")],
) -> None:
    """Say that the names do not mean these candidates; nobody is asked again."""
    _run(retailer, lambda session: reject_matches(session, [_id(each) for each in ids]))


def _run(retailer: str, act: Act[_T]) -> _T:
    return asyncio.run(in_retailer(retailer, act))


async def in_retailer(retailer: str, act: Act[_T]) -> _T:
    """Act in one transaction in the scope of a retailer; raises PlatformError when there is none."""
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        tenant_id = await find_retailer(retailer, floor.database)
        async with begin(TenantScope(tenant_id, SCOPE.actor), floor.database) as session:
            return await act(session)


async def _name(session: Session, connection: str, kind: str, external_id: str) -> Name:
    if kind not in get_args(Kind):
        words = f"Write one of {', '.join(get_args(Kind))}."
        raise PlatformError(words, code="cli.choice_unknown")
    return Name(await find_connection(session, connection), cast("Kind", kind), external_id)


async def find_connection(session: Session, name: str) -> Id:
    """Give the connection of this name; raises NotFound."""
    found: Id | None = await session.fetch_value("select id from connection where name = $1", name)
    if found is None:
        raise NotFound
    return found


def _id(text: str) -> Id:
    found = parse_id(text)
    if found is None:
        raise NotFound
    return found


def aware(moment: datetime) -> datetime:
    """Take a moment without a zone as UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
