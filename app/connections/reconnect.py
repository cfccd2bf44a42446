"""A reconnect link: whoever owns a system gives its new credential, without an account with us.

The link is good for seven days and for one use. Only its SHA-256 is stored; it opens nothing but the
credentials that calls to this one system need, and shows none.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from app.connections.changes import Change, note_change
from app.connections.credential import fields_of
from app.connections.directory import ConnectionConfig, read_connection
from app.connections.secrets import put_secret
from app.connections.tenant import acting_tenant
from connectors.registry import manifest
from infra.clock import now
from infra.database.pool import Database
from infra.database.scope import GateScope, TenantScope
from infra.database.unit import Session, begin
from infra.errors import FieldError, NotFound, Unprocessable
from infra.ids import Id
from infra.keys.vault import Vault
from tenants.audit import record

PREFIX = "/reconnect/"
TOKEN_BYTES = 32
VALID_FOR = timedelta(days=7)
ACTOR = "link.reconnect_connection"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,86}")
_INSERT = (
    "insert into reconnect_link (token_hash, tenant_id, connection_id, created_by, expires_at)"
    " values ($1, $2, $3, $4, $5)"
)
_OPEN = "token_hash = $1 and used_at is null and expires_at > now()"


@dataclass(frozen=True, slots=True)
class ReconnectLink:
    """A link as it is shown once: the path with its token, and its end (UTC)."""

    path: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AskedField:
    """One credential that is asked for: its name, and what it is in words."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a link asks for: whose system, which one, which credentials, until when (UTC)."""

    retailer: str
    connection: str
    fields: tuple[AskedField, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Found:
    tenant_id: Id
    connection_id: Id
    expires_at: datetime


async def make_reconnect_link(session: Session, connection_id: Id) -> ReconnectLink:
    """Make one link and give it, this once; raises NotFound, or Unprocessable without credentials.

    Links made before stay good: the mail with the first may be the one that is read.
    """
    config = await read_connection(session, connection_id)
    if config is None:
        raise NotFound
    if not _asked_fields(config):
        raise Unprocessable(
            f"The connection {config.name} needs no credential to be called.",
            code="connection.no_credentials",
        )
    token, expires_at = secrets.token_urlsafe(TOKEN_BYTES), now() + VALID_FOR
    tenant_id, actor = acting_tenant(session), _actor(session)
    await session.execute(_INSERT, _hash(token), tenant_id, connection_id, actor, expires_at)
    detail = {"name": config.name, "expires_at": expires_at.isoformat()}
    await record(session, "connections.make_reconnect_link", f"connection:{connection_id}", detail)
    return ReconnectLink(PREFIX + token, expires_at)


async def read_link(token: str, database: Database) -> Asked:
    """Say what a link asks for; raises NotFound for a wrong, used or ended one."""
    found = await _find(token, database)
    async with begin(TenantScope(found.tenant_id, ACTOR), database) as session:
        config = await _usable(session, found.connection_id)
        retailer = await session.fetch_value(
            "select name from tenant where id = $1", found.tenant_id
        )
    title = config.title or manifest(config.connector).title
    return Asked(retailer, title, _asked_fields(config), found.expires_at)


async def use_link(
    token: str,
    given: Mapping[str, SecretStr],
    database: Database,
    vault: Vault,
    ring: Callable[[], None],
) -> None:
    """Store the credentials that a link asked for, once; what waited for them goes on.

    Raises: NotFound for a wrong, used or ended link; Unprocessable naming what is missing or too
            much. The link stays good after a refusal.
    """
    found = await _find(token, database)
    key = await vault.current(found.tenant_id)
    async with begin(TenantScope(found.tenant_id, ACTOR), database) as session:
        taken = await session.execute(
            f"update reconnect_link set used_at = now() where {_OPEN}",  # noqa: S608
            _hash(token),
        )
        if not taken:
            raise NotFound  # somebody else was quicker
        config = await _usable(session, found.connection_id)
        _check(config, given)
        for field, value in sorted(given.items()):
            await put_secret(session, key, found.connection_id, field, value)
        words = f"A new credential of {config.title or config.name} was given by its owner."
        change = Change("credential", words, config.connector, config.id)
        await note_change(session, change)
        subject = f"connection:{found.connection_id}"
        await record(session, "connections.reconnect", subject, {"name": config.name})
    ring()


async def _find(token: str, database: Database) -> _Found:
    if not _TOKEN.fullmatch(token):
        raise NotFound
    async with begin(GateScope(), database) as session:
        row = await session.fetch_one(
            f"select tenant_id, connection_id, expires_at from reconnect_link where {_OPEN}",  # noqa: S608
            _hash(token),
        )
    if row is None:
        raise NotFound
    return _Found(row["tenant_id"], row["connection_id"], row["expires_at"])


async def _usable(session: Session, connection_id: Id) -> ConnectionConfig:
    config = await read_connection(session, connection_id)
    if config is None or config.state == "disabled":
        raise NotFound
    return config


def _asked_fields(config: ConnectionConfig) -> tuple[AskedField, ...]:
    known = manifest(config.connector)
    return tuple(AskedField(name, known.secrets.get(name, "")) for name in fields_of(known.auth))


def _check(config: ConnectionConfig, given: Mapping[str, SecretStr]) -> None:
    """Refuse what is not asked for, and what is missing: half a credential opens nothing."""
    asked = {field.name for field in _asked_fields(config)}
    missing, surplus = sorted(asked - given.keys()), sorted(given.keys() - asked)
    wrong = [FieldError(f"/credentials/{name}", _MISSING, "Needed.") for name in missing]
    wrong += [FieldError(f"/credentials/{name}", _UNASKED, "Not asked for.") for name in surplus]
    if wrong:
        raise Unprocessable(
            f"Give exactly these: {', '.join(sorted(asked))}.", code=wrong[0].code, errors=wrong
        )


_MISSING = "reconnect.credential_missing"
_UNASKED = "reconnect.credential_not_asked"


def _actor(session: Session) -> str:
    return session.scope.actor if isinstance(session.scope, TenantScope) else ""


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
