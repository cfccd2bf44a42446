"""The ORM on the unit of work's own connection: one pool for arrays and for objects."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import asyncpg
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

_current: ContextVar[asyncpg.Connection[Any]] = ContextVar("orm_connection")


class Table(DeclarativeBase):
    """The root of all mapped tables; mapped objects never leave the package that owns the table."""


class _Borrowed:
    """A driver connection that the ORM may use but not close."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def set_type_codec(self, *_: Any, **__: Any) -> None:
        """Leave the codecs alone: raw SQL on the same connection reads JSON as text."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - driver's shape
        """Leave the connection open: the unit of work owns it."""

    def terminate(self) -> None:
        """Leave the connection open: the unit of work owns it."""


async def _borrow() -> _Borrowed:
    return _Borrowed(_current.get())


# AUTOCOMMIT: the unit of work has already begun the transaction and alone ends it.
_ENGINE = create_async_engine(
    "postgresql+asyncpg://",
    async_creator=_borrow,
    poolclass=NullPool,
    isolation_level="AUTOCOMMIT",
    # A prepared statement cache would outlive the borrowed connection.
    connect_args={"prepared_statement_cache_size": 0},
)


async def open_orm_session(connection: asyncpg.Connection[Any]) -> AsyncSession:
    """Open an ORM session on a connection with a transaction already begun."""
    token = _current.set(connection)
    try:
        session = AsyncSession(_ENGINE, expire_on_commit=False)
        await session.connection()
        return session
    finally:
        _current.reset(token)
