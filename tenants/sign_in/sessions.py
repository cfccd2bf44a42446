"""Sessions: open, find, list, end. The cookie holds a random text, the book its digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from infra.database.pool import Database
from infra.database.scope import GateScope
from infra.database.unit import Session, begin
from infra.errors import NotFound
from infra.ids import new_id
from tenants.roles import fits
from tenants.sign_in.secret import new_token, token_hash

# One working day, and half of it without a click.
LONGEST = timedelta(hours=12)
IDLE = timedelta(hours=6)
SEEN_EVERY = timedelta(minutes=1)
BROWSER_MOST = 200

Way = Literal["password", "invitation", "sign_in"]

_IS_OPEN = "revoked_at is null and expires_at > now() and seen_at > now() - $2::interval"
_FIND = (
    "select s.id, s.person_id, s.seen_at < now() - $3::interval as is_stale, p.email, p.name"  # noqa: S608
    " from portal_session s join person p on p.id = s.person_id where token_hash = $1 and "
    + _IS_OPEN
)
_LIST = (
    "select id, way, browser, created_at, seen_at, expires_at from portal_session"  # noqa: S608
    " where person_id = $1 and " + _IS_OPEN + " order by seen_at desc limit 100"
)
_HELD = (
    "select m.role, m.partner_id, m.tenant_id, t.partner_id as partner_of_tenant,"
    " t.state as tenant_state from membership m left join tenant t on t.id = m.tenant_id"
    " where m.person_id = $1 order by m.id"
)


@dataclass(frozen=True, slots=True)
class Held:
    """One role that a person holds; both ids None is the platform."""

    role: str
    partner_id: UUID | None
    tenant_id: UUID | None
    partner_of_tenant: UUID | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """Who is behind a session, and which roles this person holds now."""

    session_id: UUID
    person_id: UUID
    email: str
    name: str
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One open session of a person, as the account page lists it; times are UTC."""

    id: UUID
    way: Way
    browser: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


async def open_session(session: Session, person_id: UUID, way: Way, browser: str) -> str:
    """Open a session in the transaction that let the person in; gives the text of its cookie."""
    token = new_token()
    await session.execute(
        "insert into portal_session (token_hash, id, person_id, way, browser, expires_at)"
        " values ($1, $2, $3, $4, $5, now() + $6::interval)",
        token_hash(token),
        new_id(),
        person_id,
        way,
        browser[:BROWSER_MOST],
        LONGEST,
    )
    return token


async def find_session(token: str, database: Database) -> Entered | None:
    """Find whose session a cookie is; None when there is none, it ended, or was ended."""
    digest = token_hash(token)
    if digest is None:
        return None
    async with begin(GateScope(), database) as session:
        row = await session.fetch_one(_FIND, digest, IDLE, SEEN_EVERY)
        if row is None:
            return None
        if row["is_stale"]:
            await session.execute(
                "update portal_session set seen_at = now() where token_hash = $1", digest
            )
        held = await session.fetch(_HELD, row["person_id"])
    roles = tuple(
        Held(each["role"], each["partner_id"], each["tenant_id"], each["partner_of_tenant"])
        for each in held
        if each["tenant_state"] in (None, "active", "leaving")
        and fits(each["role"], partner_id=each["partner_id"], tenant_id=each["tenant_id"])
    )
    return Entered(row["id"], row["person_id"], row["email"], row["name"], roles)


async def list_sessions(person_id: UUID, database: Database) -> list[OpenSession]:
    """List a person's open sessions, the one used last first."""
    async with begin(GateScope(), database) as session:
        rows = await session.fetch(_LIST, person_id, IDLE)
    return [OpenSession(**dict(row)) for row in rows]


async def end_session(person_id: UUID, session_id: UUID, database: Database) -> None:
    """End one session of this person at once; raises NotFound for another's."""
    async with begin(GateScope(), database) as session:
        ended = await session.execute(
            "update portal_session set revoked_at = coalesce(revoked_at, now())"
            " where person_id = $1 and id = $2",
            person_id,
            session_id,
        )
    if not ended:
        raise NotFound


async def end_all_sessions(session: Session, person_id: UUID) -> None:
    """End every session of a person, as when the password changes."""
    await session.execute(
        "update portal_session set revoked_at = now() where person_id = $1 and revoked_at is null",
        person_id,
    )
