"""Whose key was shown, and how far it reaches."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from infra import clock
from infra.database.pool import Database
from infra.database.scope import GateScope, OperatorScope, PartnerScope, TenantScope
from infra.database.unit import Row, begin
from infra.errors import NotFound
from tenants.keys import hash_of
from tenants.roles import fits

USED_EVERY = timedelta(minutes=1)
CACHED_FOR_S = 2.0  # so long at most a revoked key still opens
MOST_CACHED = 10_000
_LOCK_STRIPES = 64

_FIND = (
    "select k.id, k.role, k.partner_id, k.tenant_id, k.expires_at, k.revoked_at, k.last_used_at,"
    " t.state as tenant_state from api_key k left join tenant t on t.id = k.tenant_id"
    " where k.key_hash = $1"
)
# The condition again: of many requests at one moment only one writes.
_USE = (
    "update api_key set last_used_at = $2"
    " where id = $1 and (last_used_at is null or last_used_at <= $3)"
)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts: a key of one retailer, of one partner, or (both None) of the platform."""

    key_id: UUID
    role: str
    tenant_id: UUID | None
    partner_id: UUID | None
    actor: str


async def authenticate(text: str, database: Database) -> Principal | None:
    """Find whose key this is; None for every cause alike, after the same work.

    A malformed, unknown, expired or revoked key, one of a suspended retailer and one whose role
    does not fit its owner all cost one hash and one indexed look-up.
    """
    now = clock.now()
    async with begin(GateScope(), database) as session:
        row = await session.fetch_one(_FIND, hash_of(text))
        if row is None or not _opens(row, now):
            return None
        used_before = now - USED_EVERY
        if row["last_used_at"] is None or row["last_used_at"] <= used_before:
            await session.execute(_USE, row["id"], now, used_before)
    return Principal(
        row["id"], row["role"], row["tenant_id"], row["partner_id"], f"key:{row['id']}"
    )


class PrincipalCache:
    """Remember for two seconds whose key it was, so that busy routes do not ask each time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cached: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()
        self._misses = tuple(asyncio.Lock() for _ in range(_LOCK_STRIPES))

    async def authenticate(self, text: str) -> Principal | None:
        """Find whose key this is; refusals are not remembered."""
        digest = hash_of(text)
        known = self._remembered(digest)
        if known is not None:
            return known
        async with self._misses[digest[0] % _LOCK_STRIPES]:
            known = self._remembered(digest)
            if known is not None:
                return known
            # Counted from before the look-up: a key revoked during it must not live longer.
            until_s = clock.monotonic_s() + CACHED_FOR_S
            principal = await authenticate(text, self._database)
            if principal is not None:
                self._remember(digest, until_s, principal)
            return principal

    def _remembered(self, digest: bytes) -> Principal | None:
        cached = self._cached.get(digest)
        return cached[1] if cached is not None and clock.monotonic_s() < cached[0] else None

    def _remember(self, digest: bytes, until_s: float, principal: Principal) -> None:
        self._cached[digest] = (until_s, principal)
        self._cached.move_to_end(digest)
        while len(self._cached) > MOST_CACHED:
            self._cached.popitem(last=False)


async def reach(principal: Principal, tenant_id: UUID, database: Database) -> TenantScope:
    """Give the scope of a retailer that a principal reaches; raises NotFound for all others alike.

    Asked anew each time: a retailer that moves to another partner is out of reach at once.
    """
    if principal.tenant_id is not None:
        if principal.tenant_id != tenant_id:
            raise NotFound
        return TenantScope(tenant_id, principal.actor)
    async with begin(directory_scope(principal), database) as session:
        found = await session.fetch_value("select id from tenant where id = $1", tenant_id)
    if found is None:
        raise NotFound
    return TenantScope(tenant_id, principal.actor)


def directory_scope(principal: Principal) -> TenantScope | PartnerScope | OperatorScope:
    """Give the scope in which a principal sees the directory: itself, its retailers, or all."""
    if principal.tenant_id is not None:
        return TenantScope(principal.tenant_id, principal.actor)
    if principal.partner_id is not None:
        return PartnerScope(principal.partner_id, principal.actor)
    return OperatorScope(principal.actor)


def _opens(row: Row, now: datetime) -> bool:
    expires_at = row["expires_at"]
    return (
        row["revoked_at"] is None
        and (expires_at is None or expires_at > now)
        and row["tenant_state"] in (None, "active", "leaving")
        and fits(row["role"], partner_id=row["partner_id"], tenant_id=row["tenant_id"])
    )
