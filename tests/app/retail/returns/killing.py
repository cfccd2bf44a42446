"""A database whose process dies at a chosen commit: just before it, or just after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal, cast

import asyncpg

from infra.database.pool import Database

When = Literal["before", "after"]
_STEP_OF_FACT = {
    "opened": "R1", "sale_known": "R1", "authorised": "R2", "received": "R3", "inspected": "R4",
    "limit_passed": "R3", "stock_moved": "R5", "refunded": "R7", "refund_refused": "R7",
    "posted": "R8", "posting_refused": "R8", "points_reversed": "R9", "points_refused": "R9",
    "history_told": "R10",
}  # fmt: skip


class Killed(BaseException):
    """The process is gone."""


class KillingDatabase:
    """Counts commits that wrote something, names the steps of each, and dies at number `at`."""

    def __init__(self, real: Database, at: int | None = None, when: When = "before") -> None:
        self._real, self._at, self._when = real, at, when
        self.steps: list[frozenset[str]] = []

    @property
    def database(self) -> Database:
        return cast("Database", self)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        async with self._real.connection() as connection:
            yield _Watched(connection, self)

    async def commit(self, connection: asyncpg.Connection[Any], steps: set[str]) -> str:
        if not steps:
            return await connection.execute("commit")
        self.steps.append(frozenset(steps))
        is_last = len(self.steps) - 1 == self._at
        if is_last and self._when == "before":
            raise Killed
        status = await connection.execute("commit")
        if is_last:
            raise Killed
        return status


class _Watched:
    def __init__(self, connection: asyncpg.Connection[Any], killing: KillingDatabase) -> None:
        self._connection, self._killing = connection, killing
        self._steps: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, sql: str, *args: Any) -> str:
        if sql == "commit":
            return await self._killing.commit(self._connection, self._steps)
        if sql.startswith("insert into return_fact"):
            self._steps.add(_STEP_OF_FACT.get(args[3], "R6"))
        elif sql.startswith("update return_command"):
            self._steps.add(args[2].split(":")[1] if isinstance(args[2], str) else "withdrawn")
        elif "update return_process set status" in sql and args[2] != "open":
            self._steps.add("R11")
        return await self._connection.execute(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> Any:
        if "state = 'leased', attempts" in sql:
            self._steps.add(args[2].split(":")[1])
        return await self._connection.fetchrow(sql, *args)
