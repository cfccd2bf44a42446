"""Hook addresses: a random token that says whose webhook it is; only its SHA-256 is stored.

A wrong token and a token of a disabled connection must be answered alike; the caller sees to that,
because the role that finds owners may not read connections.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from app.connections.freshness import FreshMemory
from app.connections.tenant import acting_tenant
from infra.clock import now
from infra.database.pool import Database
from infra.database.scope import GateScope
from infra.database.unit import Session, begin
from infra.errors import NotFound
from infra.ids import Id
from tenants.audit import record

TOKEN_BYTES = 32
# Vendors' consoles are changed by hand; both addresses work for a day.
OVERLAP = timedelta(hours=24)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,86}")


@dataclass(frozen=True, slots=True)
class HookOwner:
    """Whose hook address it is."""

    tenant_id: Id
    connection_id: Id


async def issue_hook(session: Session, connection_id: Id) -> str:
    """Make one more hook token for a connection and give it, this once; raises NotFound."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    made = await session.execute(
        "insert into hook_token (token_hash, tenant_id, connection_id)"
        " select $1, tenant_id, id from connection where tenant_id = $2 and id = $3",
        _hash(token),
        acting_tenant(session),
        connection_id,
    )
    if not made:
        raise NotFound
    await record(session, "connections.issue_hook", f"connection:{connection_id}", {})
    return token


async def rotate_hook(session: Session, connection_id: Id) -> str:
    """Give a new token and let all earlier ones of the connection end after 24 hours."""
    await session.execute(
        "update hook_token set expires_at = least(expires_at, $3)"
        " where tenant_id = $1 and connection_id = $2",
        acting_tenant(session),
        connection_id,
        now() + OVERLAP,
    )
    return await issue_hook(session, connection_id)


async def has_hook(session: Session, connection_id: Id) -> bool:
    """Say whether a connection has a hook token that does not end."""
    found = await session.fetch_value(
        "select exists (select 1 from hook_token"
        " where tenant_id = $1 and connection_id = $2 and expires_at is null)",
        acting_tenant(session),
        connection_id,
    )
    return bool(found)


async def find_hook(token: str, database: Database) -> HookOwner | None:
    """Say whose hook token this is; None for a wrong, ended or misshapen one."""
    if not _TOKEN.fullmatch(token):
        return None
    return await _owner(_hash(token), database)


class HookBook:
    """Owners of hook tokens in process memory, for the path on which every webhook arrives.

    A rotated or removed token may still be answered for two seconds. Wrong tokens are remembered
    too, so that guessing costs the database little; memory is bounded.
    """

    def __init__(self, database: Database) -> None:
        self._owners: FreshMemory[bytes, HookOwner | None] = FreshMemory(
            lambda token_hash: _owner(token_hash, database)
        )

    async def find(self, token: str) -> HookOwner | None:
        """Say whose hook token this is; None for a wrong, ended or misshapen one."""
        return await self._owners.get(_hash(token)) if _TOKEN.fullmatch(token) else None


async def _owner(token_hash: bytes, database: Database) -> HookOwner | None:
    async with begin(GateScope(), database) as session:
        row = await session.fetch_one(
            "select tenant_id, connection_id from hook_token"
            " where token_hash = $1 and (expires_at is null or expires_at > $2)",
            token_hash,
            now(),
        )
    return HookOwner(row["tenant_id"], row["connection_id"]) if row else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
