"""`tillwire people`: who opens the portal, with which role, and the links by which they enter."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import typer

from app.cli.answer import AsJson, plainly, show_rows
from app.cli.owner import SCOPE, find_owner
from app.processes.floor import open_floor
from infra.database.unit import begin
from infra.errors import PlatformError
from tenants.people import Place, ensure_person, give_role, list_members
from tenants.roles import Role
from tenants.sign_in.hosts import add_host
from tenants.sign_in.links import EntryLink, Kind, make_link

STATEMENT_TIMEOUT_S = 30.0
INVITED_FOR = timedelta(days=7)

Owner = Annotated[str, typer.Option(help="partner or partner/retailer; empty for the platform.")]
Address = Annotated[str, typer.Argument(help="E-mail address of the person.")]
Hours = Annotated[int, typer.Option(min=1, max=72, help="How long the link is good (hours).")]

commands = typer.Typer(help="People: roles, invitations, sign-in links.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class _Asked:
    email: str
    name: str
    role: Role
    owner: str


@commands.command("invite")
@plainly
def invite(
    email: Address,
    *,
    name: Annotated[str, typer.Option(help="What the person is called.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    owner: Owner = "",
    as_json: AsJson = False,
) -> None:
    """Give a person a role, and make the link to choose a password and a second factor."""
    link = asyncio.run(_invite(_Asked(email, name, role, owner)))
    _show("Invitation, shown only now", email, link, as_json=as_json)


@commands.command("link")
@plainly
def link(email: Address, *, hours: Hours = 1, as_json: AsJson = False) -> None:
    """Make a link that signs a known person in, once; for whoever runs this machine."""
    made = asyncio.run(_link(email, timedelta(hours=hours)))
    _show("Sign-in link, shown only now", email, made, as_json=as_json)


@commands.command("list")
@plainly
def show(*, as_json: AsJson = False) -> None:
    """List people with their roles and where these hold."""
    show_rows("People", asyncio.run(_list()), as_json=as_json)


@commands.command("host")
@plainly
def host(
    name: Annotated[str, typer.Argument(help="Host name, without scheme and port.")],
    partner: Annotated[str, typer.Argument(help="Short name of the partner.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Let a host name open a partner's portal; it must also be among the allowed hosts."""
    is_new = asyncio.run(_host(name, partner))
    state = "added" if is_new else "was there before"
    show_rows("Host", [{"host": name, "partner": partner, "state": state}], as_json=as_json)


async def _invite(asked: _Asked) -> EntryLink:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        owned = await find_owner(asked.owner, floor.database)
        place = Place(owned.partner_id, owned.tenant_id)
        async with begin(SCOPE, floor.database) as session:
            person = await ensure_person(session, asked.email, asked.name)
            await give_role(session, person.id, asked.role, place, given_by=Role.OPERATOR)
            return await make_link(session, person.id, "invitation", INVITED_FOR)


async def _link(email: str, valid_for: timedelta) -> EntryLink:
    kind: Kind = "sign_in"
    async with (
        open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor,
        begin(SCOPE, floor.database) as session,
    ):
        person_id = await session.fetch_value(
            "select id from person where email = $1", email.strip().lower()
        )
        if person_id is None:
            raise PlatformError(
                f"Nobody has the address {email!r}. Invite the person first.",
                code="cli.person_unknown",
            )
        return await make_link(session, person_id, kind, valid_for)


async def _list() -> list[dict[str, Any]]:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        members = await list_members(SCOPE, floor.database)
    return [
        {
            "email": each.email,
            "name": each.name,
            "role": each.role,
            "partner": each.place.partner_id,
            "retailer": each.place.tenant_id,
        }
        for each in members
    ]


async def _host(name: str, partner: str) -> bool:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        owned = await find_owner(partner, floor.database)
        if owned.partner_id is None:
            raise PlatformError("A host belongs to one partner.", code="cli.owner_unknown")
        async with begin(SCOPE, floor.database) as session:
            return await add_host(session, owned.partner_id, name)


def _show(title: str, email: str, made: EntryLink, *, as_json: bool) -> None:
    row = {"email": email, "path": made.path, "until": made.expires_at.isoformat()}
    show_rows(title, [row], as_json=as_json)
