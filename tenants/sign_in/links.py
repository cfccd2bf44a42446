"""Links that open the portal once: an invitation to choose a password, or a sign-in link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from infra import clock
from infra.database.pool import Database
from infra.database.scope import GateScope
from infra.database.unit import Row, Session, begin
from infra.errors import NotFound
from tenants.audit import platform, record
from tenants.sign_in.secret import new_token, token_hash
from tenants.sign_in.sessions import open_session

Kind = Literal["invitation", "sign_in"]

PATHS: dict[Kind, str] = {"invitation": "/invitation/", "sign_in": "/enter/"}
_WHOSE = (
    "select p.id, p.email, p.name, (select coalesce(m.partner_id, t.partner_id) from membership m"
    " left join tenant t on t.id = m.tenant_id where m.person_id = p.id order by m.id limit 1)"
    " as partner_id from entry_link l join person p on p.id = l.person_id"
    " where token_hash = $1 and kind = $2 and used_at is null and expires_at > now()"
)
_OPEN = "token_hash = $1 and kind = $2 and used_at is null and expires_at > now()"


@dataclass(frozen=True, slots=True)
class EntryLink:
    """A link as it is shown once: its path with the token, and its end (UTC)."""

    path: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"EntryLink(until {self.expires_at})"


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a link is for; `partner_id` is whose portal it opens, None for the platform's own."""

    person_id: UUID
    email: str
    name: str
    partner_id: UUID | None


async def make_link(
    session: Session, person_id: UUID, kind: Kind, valid_for: timedelta
) -> EntryLink:
    """Make a link for a person in the operator's scope; whoever has it enters as this person."""
    token, expires_at = new_token(), clock.now() + valid_for
    actor: str = getattr(session.scope, "actor", "")
    await session.execute(
        "insert into entry_link (token_hash, person_id, kind, created_by, expires_at)"
        " values ($1, $2, $3, $4, $5)",
        token_hash(token),
        person_id,
        kind,
        actor,
        expires_at,
    )
    await record(session, f"people.make_{kind}_link", f"person:{person_id}", {})
    return EntryLink(PATHS[kind] + token, expires_at)


async def read_link(token: str, kind: Kind, database: Database) -> Invited:
    """Say whom a link is for; raises NotFound for a wrong, used or ended one alike."""
    async with begin(GateScope(), database) as session:
        row = await _found(session, token, kind)
    return Invited(row["id"], row["email"], row["name"], row["partner_id"])


async def use_link(session: Session, token: str, kind: Kind) -> UUID:
    """Use a link up and give its person; raises NotFound when somebody was faster."""
    person_id: UUID | None = await session.fetch_value(
        f"update entry_link set used_at = now() where {_OPEN} returning person_id",  # noqa: S608
        token_hash(token),
        kind,
    )
    if person_id is None:
        raise NotFound
    return person_id


async def enter_by_link(token: str, browser: str, database: Database) -> str:
    """Open a session by a sign-in link, once; gives the text of its cookie. Raises NotFound."""
    async with begin(GateScope(), database) as session:
        person_id = await use_link(session, token, "sign_in")
        cookie = await open_session(session, person_id, "sign_in", browser)
    async with begin(platform(f"person:{person_id}"), database) as session:
        await record(session, "people.enter_by_link", f"person:{person_id}", {})
    return cookie


async def _found(session: Session, token: str, kind: Kind) -> Row:
    row = await session.fetch_one(_WHOSE, token_hash(token), kind)
    if row is None:
        raise NotFound
    return row
