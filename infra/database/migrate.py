"""Bring a database to the newest schema, as its owner, and let the login role take its roles."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from infra.database.pool import driver_url
from infra.errors import PlatformError

_MIGRATIONS = Path(__file__).parents[1] / "migrations"
_LOCK = 7_210_454_001  # any constant: one migration at a time per database
_HAS_GRANT_OPTIONS = 160_000
_ROLES = ("tillwire_app", "tillwire_gate", "tillwire_intake", "tillwire_engine", "tillwire_support")


class LoginUnfit(PlatformError):
    """The login role of the product could bypass row-level security, or is not there."""

    code = "database.login_unfit"


async def migrate(owner_url: str, login_url: str, *, target: str = "head") -> None:
    """Migrate to `target` (a version, `head`, or `base` for empty); safe to run twice at once.

    Raises LoginUnfit, before anything is changed, when the product could not start afterwards.
    """
    engine = create_async_engine(
        driver_url(owner_url).replace("postgresql://", "postgresql+asyncpg://", 1),
        poolclass=NullPool,
    )
    try:
        async with engine.connect() as connection:
            await connection.execute(text("select pg_advisory_lock(:key)"), {"key": _LOCK})
            await connection.commit()
            login = unquote(urlsplit(driver_url(login_url)).username or "")
            await _refuse_unfit_login(connection, login)
            await connection.commit()
            await connection.run_sync(_run, target)
            if target != "base":
                await _let_login_take_roles(connection, login)
            await connection.commit()
    finally:
        await engine.dispose()


def _run(connection: Connection, target: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    if target == "base":
        command.downgrade(config, target)
    else:
        command.upgrade(config, target)


async def _refuse_unfit_login(connection: AsyncConnection, login: str) -> None:
    sql = (
        "select case when rolsuper then 'is a superuser' when rolbypassrls then 'has BYPASSRLS'"
        " when rolname = current_user then 'owns the schema' end from pg_roles where rolname = :login"
    )
    found = (await connection.execute(text(sql), {"login": login})).first()
    reason = "does not exist" if found is None else found[0]
    if reason is not None:
        raise LoginUnfit(
            f"DATABASE_URL names the role {login!r}, which {reason}. Row-level security would not"
            " keep retailers apart. Make a role for the product alone, as a superuser: create role"
            " tillwire_login login noinherit password '...'; and name it in DATABASE_URL."
            " Nothing was changed."
        )


async def _let_login_take_roles(connection: AsyncConnection, login: str) -> None:
    """Grant the roles so that they can be taken but are never inherited (PostgreSQL 15: NOINHERIT)."""
    quoted = '"' + login.replace('"', '""') + '"'
    version = int((await connection.execute(text("show server_version_num"))).scalar_one())
    option = "with inherit false" if version >= _HAS_GRANT_OPTIONS else ""
    for role in _ROLES:
        await connection.execute(text(f"grant {role} to {quoted} {option}"))
