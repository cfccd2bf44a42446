"""The unit of work: one transaction, one scope; nothing else in the product commits."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from infra.database.orm import open_orm_session
from infra.database.scope import Scope
from infra.egress.guard import transaction_is_open
from infra.errors import Unavailable

if TYPE_CHECKING:
    from infra.database.pool import Database

Row = asyncpg.Record


class Session:
    """An open transaction in one scope: SQL over arrays, or the ORM on the same connection."""

    def __init__(self, connection: asyncpg.Connection[Row], scope: Scope) -> None:
        self._connection = connection
        self._orm: AsyncSession | None = None
        self.scope = scope

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """Run a query and give all rows."""
        rows: list[Row] = await self._connection.fetch(sql, *args)
        return rows

    async def fetch_one(self, sql: str, *args: Any) -> Row | None:
        """Run a query and give its first row, or None."""
        row: Row | None = await self._connection.fetchrow(sql, *args)
        return row

    async def fetch_value(self, sql: str, *args: Any) -> Any:
        """Run a query and give the first value of its first row, or None."""
        return await self._connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> int:
        """Run a statement and give the number of rows it touched."""
        status: str = await self._connection.execute(sql, *args)
        last = status.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    async def execute_many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Run one statement for each row of arguments."""
        await self._connection.executemany(sql, rows)

    async def orm(self) -> AsyncSession:
        """Give the ORM on this very transaction; flushed, never committed, by the caller."""
        if self._orm is None:
            self._orm = await open_orm_session(self._connection)
        return self._orm

    async def finish_orm(self) -> None:
        """Write what the ORM still holds; called once, before the commit."""
        if self._orm is not None:
            await self._orm.flush()

    async def close_orm(self) -> None:
        """Give the ORM's resources back; the connection stays ours."""
        if self._orm is not None:
            await self._orm.close()


@asynccontextmanager
async def begin(scope: Scope, database: Database) -> AsyncIterator[Session]:
    """Open a transaction in a scope; commits when the block ends, rolls back when it raises.

    Raises Unavailable when the database cannot be reached or when it is unknown whether the commit
    happened; the caller's sender repeats then, and the repeat is recognised.
    """
    async with database.connection() as connection:
        try:
            await connection.execute(f"begin; {scope.opening()}")
        except _GONE as fault:
            raise Unavailable("The book cannot be reached.", retry_after_s=1) from fault
        session = Session(connection, scope)
        token = transaction_is_open.set(True)
        try:
            yield session
            await session.finish_orm()
            await connection.execute("commit")
        except _GONE as fault:
            # A lock that was not to be had, or a statement that took too long, leaves it open.
            await _roll_back(connection)
            raise Unavailable("The book cannot be reached.", retry_after_s=1) from fault
        except BaseException:
            await session.close_orm()
            await _roll_back(connection)
            raise
        else:
            await session.close_orm()
        finally:
            transaction_is_open.reset(token)


_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    # Out of connections, memory or disk.
    asyncpg.InsufficientResourcesError,
    # A book that stalls is as good as away: whoever waits is told to come again.
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    # What asyncpg raises when the server dies between two messages of one answer.
    asyncpg.InternalClientError,
    ConnectionError,
    TimeoutError,
)


async def _roll_back(connection: asyncpg.Connection[Row]) -> None:
    # A connection that died was taken back by the pool already: then every call on it raises.
    with contextlib.suppress(asyncpg.InterfaceError):
        try:
            if not connection.is_closed():
                await connection.execute("rollback")
        except _GONE:
            connection.terminate()
