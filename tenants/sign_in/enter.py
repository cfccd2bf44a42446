"""Enter by password and second factor, or by accepting an invitation with new ones."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from infra import clock
from infra.database.pool import Database
from infra.database.scope import GateScope
from infra.database.unit import Row, begin
from infra.errors import FieldError, PlatformError, Unprocessable
from infra.keys.vault import Vault
from tenants.audit import NIL, platform, record
from tenants.sign_in.factor import step_of
from tenants.sign_in.guessing import (
    Subject,
    count_failure,
    forget_failures,
    refuse_guessing,
    subjects_of,
)
from tenants.sign_in.links import read_link, use_link
from tenants.sign_in.passwords import check_password, hash_password, is_password
from tenants.sign_in.sessions import end_all_sessions, open_session

_READ = (
    "select p.id, p.email, c.password_hash, c.factor_sealed, c.factor_period, c.factor_step"
    " from person p join credential c on c.person_id = p.id where p.email = $1"
)
# The condition again: of two requests with one code only one comes in.
_STEP = "update credential set factor_step = $2 where person_id = $1 and factor_step < $2"
_STORE = (
    "insert into credential (person_id, password_hash, factor_sealed, factor_period, factor_step)"
    " values ($1, $2, $3, $4, $5) on conflict (person_id) do update set"
    " password_hash = excluded.password_hash, factor_sealed = excluded.factor_sealed,"
    " factor_period = excluded.factor_period, factor_step = excluded.factor_step, changed_at = now()"
)


class NotLetIn(PlatformError):
    """Address, password or code is wrong; which of them is not said."""

    status = 401
    code = "sign_in.refused"

    def __init__(self) -> None:
        super().__init__("Address, password or code is not right. Try again with the next code.")


@dataclass(frozen=True, slots=True)
class Knock:
    """What somebody typed, from which network and with which browser."""

    email: str
    password: str
    code: str
    network: str
    browser: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an invited person chose: a password, and a factor proved by its first code."""

    password: str
    secret: str
    code: str
    browser: str


async def sign_in(knock: Knock, database: Database, vault: Vault) -> str:
    """Open a session and give the text of its cookie.

    Raises: NotLetIn for every cause alike, after the same work; TooManyTries.
    """
    subjects = subjects_of(knock.email, knock.network)
    async with begin(GateScope(), database) as session:
        await refuse_guessing(session, subjects)
        row = await session.fetch_one(_READ, knock.email.strip().lower())
    is_known = await is_password(knock.password, row["password_hash"] if row else None)
    step = await _step(row, knock.code, vault) if row is not None and is_known else None
    if row is None or step is None:
        await _refuse(subjects, database)
        raise NotLetIn
    async with begin(GateScope(), database) as session:
        if not await session.execute(_STEP, row["id"], step):
            raise NotLetIn
        await forget_failures(session, subjects[0])
        cookie = await open_session(session, row["id"], "password", knock.browser)
    await _told(database, row["id"], "people.sign_in")
    return cookie


async def accept_invitation(token: str, chosen: Chosen, database: Database, vault: Vault) -> str:
    """Store password and factor, end older sessions and open one; gives the text of its cookie.

    Raises: NotFound for a link that is not good; Unprocessable for what was chosen, the link stays.
    """
    invited = await read_link(token, "invitation", database)
    check_password(chosen.password, invited.email)
    step = step_of(chosen.secret, chosen.code, clock.now(), 0)
    if step is None:
        words = "This code does not belong to the square code shown here. Type the present one."
        raise Unprocessable(
            words,
            code="sign_in.code_wrong",
            errors=(FieldError("/code", "sign_in.code_wrong", words),),
        )
    hashed = await hash_password(chosen.password)
    key = await vault.current(NIL)
    sealed = key.seal(_place(invited.person_id), chosen.secret.encode())
    async with begin(GateScope(), database) as session:
        person_id = await use_link(session, token, "invitation")
        await session.execute(_STORE, person_id, hashed, sealed, key.period, step)
        await end_all_sessions(session, person_id)
        cookie = await open_session(session, person_id, "invitation", chosen.browser)
    await _told(database, person_id, "people.accept_invitation")
    return cookie


async def _step(row: Row, code: str, vault: Vault) -> int | None:
    key = await vault.of(NIL, row["factor_period"])
    secret = key.open(_place(row["id"]), row["factor_sealed"]).decode()
    return step_of(secret, code, clock.now(), row["factor_step"])


async def _refuse(subjects: tuple[Subject, ...], database: Database) -> None:
    async with begin(GateScope(), database) as session:
        await count_failure(session, subjects)


async def _told(database: Database, person_id: UUID, action: str) -> None:
    async with begin(platform(f"person:{person_id}"), database) as session:
        await record(session, action, f"person:{person_id}", {})


def _place(person_id: UUID) -> str:
    return f"credential|{person_id}|factor"
