"""The data keys: one per retailer and month, made when first needed, gone when the month is erased."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from uuid import UUID

from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.errors import Conflict, PlatformError
from infra.keys.master import MasterKeys
from infra.keys.sealing import SealBroken, TenantKey, period_of

__all__ = ["KeyErased", "SealBroken", "TenantKey", "Vault", "period_of"]

DATA_KEY_BYTES = 32
MOST_CACHED = 10_000
# A month erased by one process must become unreadable in the others without a message between them.
CACHED_FOR_S = 300.0
_LOCK_STRIPES = 64
_ACTOR = "keys.vault"

_READ = "select wrapped, master_key_id from data_key where tenant_id = $1 and period = $2"
_WRITE = (
    "insert into data_key (tenant_id, period, wrapped, master_key_id, created_at)"
    " values ($1, $2, $3, $4, $5) on conflict (tenant_id, period) do nothing"
)
_LOCK = "select pg_advisory_xact_lock(hashtextextended('data_key:' || $1, 0))"


class KeyErased(PlatformError):
    """The month's key was destroyed, and with it everything sealed under it, also in backups."""

    status = 410
    code = "keys.erased"


class Vault:
    """Hand out data keys, from memory when they were used in the last five minutes.

    A key that is not in memory costs a unit of work of its own. Inside an open transaction that is
    a second connection, and a full pool of callers doing so would wait for each other: take the key
    before `begin`, or pass the open `session`, through which an existing key is then read.
    """

    def __init__(self, database: Database, masters: MasterKeys) -> None:
        self._database = database
        self._masters = masters
        self._cached: OrderedDict[tuple[UUID, int], tuple[float, TenantKey]] = OrderedDict()
        # One look-up per key and process at a time: at the turn of a month all callers miss at once.
        self._misses = tuple(asyncio.Lock() for _ in range(_LOCK_STRIPES))

    async def current(self, tenant_id: UUID, session: Session | None = None) -> TenantKey:
        """Give the key that seals this month (UTC); makes it when the month has none yet."""
        period = period_of(clock.now())
        return self._remembered(tenant_id, period) or await self._look_up(
            tenant_id, period, session, may_make=True
        )

    async def of(self, tenant_id: UUID, period: int, session: Session | None = None) -> TenantKey:
        """Give the key under which a stored value was sealed; raises KeyErased when it is gone."""
        return self._remembered(tenant_id, period) or await self._look_up(
            tenant_id, period, session, may_make=False
        )

    async def rewrap(self, tenant_id: UUID) -> int:
        """Wrap all data keys of a retailer under the newest master key; gives how many it moved.

        Sealed values stay as they are and stay readable throughout. Safe to repeat and to run twice
        at once: the lock keeps it apart from itself and from `erase`.
        """
        newest = self._masters.newest
        async with begin(TenantScope(tenant_id, _ACTOR), self._database) as session:
            await session.execute(_LOCK, str(tenant_id))
            rows = await session.fetch(
                "delete from data_key where tenant_id = $1 and master_key_id <> $2"
                " returning period, wrapped, master_key_id, created_at",
                tenant_id,
                newest.id,
            )
            for row in rows:
                period, key = row["period"], self._unwrap(tenant_id, row["period"], row)
                wrapped = newest.wrap(tenant_id, period, key)
                await session.execute(
                    _WRITE, tenant_id, period, wrapped, newest.id, row["created_at"]
                )
        return len(rows)

    async def erase(self, tenant_id: UUID, period: int) -> bool:
        """Destroy a past month's key, and so all that was sealed under it; True when there was one.

        Cannot be undone. Other processes can read the month for five minutes more. Raises Conflict
        for the current month, in which they may still be sealing.
        """
        if period >= period_of(clock.now()):
            raise Conflict(
                f"Month {period} is not over. Its content can be erased once it is.",
                code="keys.month_in_use",
            )
        async with begin(TenantScope(tenant_id, _ACTOR), self._database) as session:
            await session.execute(_LOCK, str(tenant_id))
            erased = await session.execute(
                "delete from data_key where tenant_id = $1 and period = $2", tenant_id, period
            )
        self._cached.pop((tenant_id, period), None)
        return erased > 0

    def _remembered(self, tenant_id: UUID, period: int) -> TenantKey | None:
        place = (tenant_id, period)
        cached = self._cached.get(place)
        if cached is None or clock.monotonic_s() > cached[0]:
            return None
        self._cached.move_to_end(place)
        return cached[1]

    def _remember(self, key: TenantKey) -> None:
        place = (key.tenant_id, key.period)
        self._cached[place] = (clock.monotonic_s() + CACHED_FOR_S, key)
        self._cached.move_to_end(place)
        while len(self._cached) > MOST_CACHED:
            self._cached.popitem(last=False)

    async def _look_up(
        self, tenant_id: UUID, period: int, session: Session | None, *, may_make: bool
    ) -> TenantKey:
        async with self._misses[hash((tenant_id, period)) % _LOCK_STRIPES]:
            known = self._remembered(tenant_id, period)
            if known is not None:
                return known
            row = await self._read(tenant_id, period, session)
            if row is None and may_make:
                row = await self._make(tenant_id, period)
            if row is None:
                raise KeyErased(f"The content of month {period} was erased and cannot be read.")
            key = TenantKey(tenant_id, period, self._unwrap(tenant_id, period, row))
            self._remember(key)
            return key

    async def _read(self, tenant_id: UUID, period: int, session: Session | None) -> Row | None:
        # Another scope would hide the row, and a hidden key must not be taken for an erased one.
        if session is not None and _is_scope_of(session, tenant_id):
            return await session.fetch_one(_READ, tenant_id, period)
        async with begin(TenantScope(tenant_id, _ACTOR), self._database) as own:
            return await own.fetch_one(_READ, tenant_id, period)

    async def _make(self, tenant_id: UUID, period: int) -> Row | None:
        """Make the month's key, or take the one that another process made at the same moment.

        In a transaction of its own: a key must not be used before it is safely stored.
        """
        master = self._masters.newest
        wrapped = master.wrap(tenant_id, period, secrets.token_bytes(DATA_KEY_BYTES))
        async with begin(TenantScope(tenant_id, _ACTOR), self._database) as session:
            await session.execute(_WRITE, tenant_id, period, wrapped, master.id, clock.now())
            return await session.fetch_one(_READ, tenant_id, period)

    def _unwrap(self, tenant_id: UUID, period: int, row: Row) -> bytes:
        return self._masters.unwrap(row["master_key_id"], tenant_id, period, row["wrapped"])


def _is_scope_of(session: Session, tenant_id: UUID) -> bool:
    scope = session.scope
    return isinstance(scope, TenantScope) and scope.tenant_id == tenant_id
