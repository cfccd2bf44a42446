"""The connection pool and the check that row-level security cannot be bypassed through it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from infra.errors import Unavailable

ACQUIRE_TIMEOUT_S = 2.0
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 1_000
_ONLY_BY_KEY = {"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_seqscan": "off"}


class RoleTooPowerful(SystemExit):
    """The login role could bypass row-level security; the process refuses to start."""


class Database:
    """A pool of connections under the login role, which has no rights of its own."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Lend one connection; raises Unavailable when none can be had within two seconds."""
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
            raise Unavailable("The book cannot be reached.", retry_after_s=1) from fault
        try:
            yield connection
        finally:
            await self._give_back(connection)

    async def _give_back(self, connection: Any) -> None:
        try:
            await self._pool.release(connection, timeout=ACQUIRE_TIMEOUT_S)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection.terminate()

    async def close(self) -> None:
        """Close all connections, waiting for none longer than two seconds."""
        self._pool.terminate()


async def open_database(
    url: str,
    *,
    size: int = 10,
    application: str = "tillwire",
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
    only_by_key: bool = False,
) -> Database:
    """Connect a pool and check its role; raises RoleTooPowerful or the driver's own errors.

    `only_by_key` is for processes whose every statement finds its rows by key: plans made while a
    table was small or its statistics were old would scan it whole, again and again, once it is large.
    """
    pool = await asyncpg.create_pool(
        driver_url(url),
        # None is kept open in advance: while the database is away nobody needs to hear of it twice.
        min_size=0,
        max_size=size,
        timeout=5,
        # A server that hangs instead of answering must not hold the caller longer.
        command_timeout=statement_timeout_ms / 1000 + 0.5,
        max_inactive_connection_lifetime=300,
        reset=_reset,
        server_settings={
            "application_name": application,
            "statement_timeout": str(statement_timeout_ms),
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": "15000",
            "timezone": "UTC",
            "jit": "off",
            **(_ONLY_BY_KEY if only_by_key else {}),
        },
    )
    database = Database(pool)
    try:
        await refuse_powerful_role(database)
    except BaseException:
        await database.close()
        raise
    return database


async def _reset(connection: asyncpg.Connection[Any]) -> None:
    """Every setting of ours is SET LOCAL and ended with its transaction; check that it did.

    A RESET ALL at every check-in would cost a round trip for each unit of work.
    """
    if connection.is_in_transaction():
        await connection.execute("rollback")


async def refuse_powerful_role(database: Database) -> None:
    """Refuse to run as a superuser, with BYPASSRLS or as an owner of tables; raises RoleTooPowerful."""
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "select rolsuper, rolbypassrls, current_user as name, exists (select 1 from pg_class c"
            " join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public'"
            " and c.relowner = r.oid) as owns,"
            " coalesce((select bool_or(pg_has_role(current_user, oid, 'USAGE')) from pg_roles"
            " where rolname ^@ 'tillwire_' and rolname <> current_user), false) as inherits"
            " from pg_roles r where rolname = current_user"
        )
    if row is None or row["rolsuper"] or row["rolbypassrls"] or row["owns"] or row["inherits"]:
        raise RoleTooPowerful(
            "DATABASE_URL names a role that can bypass row-level security (superuser, BYPASSRLS,"
            " owner of tables, or INHERIT of another role). Use the login role that"
            " `tillwire migrate` prepares."
        )


def driver_url(url: str) -> str:
    """Strip SQLAlchemy's driver suffix, so that both spellings of the URL work."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)
