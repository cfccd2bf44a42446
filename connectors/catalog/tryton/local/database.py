"""The database of the local Tryton: made once, initialised with the modules the connector needs.

A PostgreSQL database carries a mark in its comment that stands in our folder too. So it is known
again when its server has moved to another port, and a stranger's is never taken for ours.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from connectors.catalog.tryton.local.failure import LocalTrytonError
from connectors.catalog.tryton.local.install import Installed, Report
from connectors.catalog.tryton.local.step import Step, Watch, run_step

NAME = "tryton"
MODULES = ("sale", "sale_point")
INITIALISE_TIMEOUT_S = 300
# A database is made under this name and gets its own name last, together with its mark.
UNFINISHED = "tryton_unfinished"
SQLITE = "sqlite"
_MODULE = re.compile(r"INFO trytond\.modules (\w+) load$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the data lives: a PostgreSQL server (`postgresql://user:password@host:port/`), or a
    SQLite file in `folder` when `server_uri` is empty (one writer at a time).
    """

    folder: Path
    server_uri: str = ""

    @property
    def uri(self) -> str:
        """Give the URI as Tryton wants it: without a database name."""
        if not self.server_uri:
            return "sqlite://"
        parts = urlsplit(self.server_uri)
        return urlunsplit(("postgresql", parts.netloc, "/", "", ""))

    @property
    def sqlite_file(self) -> Path:
        """Give the SQLite file."""
        return self.folder / f"{NAME}.sqlite"

    @property
    def _unfinished(self) -> Path:
        return self.folder / "initialising"

    @property
    def _finished(self) -> Path:
        return self.folder / "finished"

    def mark(self) -> str | None:
        """Read the mark of the database that is there; None when there is none."""
        if not self.server_uri:
            return SQLITE if self.sqlite_file.is_file() else None
        return asyncio.run(_mark(self.server_uri))

    def create_empty(self) -> None:
        """Make an empty database, in place of one that an interrupted start left half made.

        A database of that name which this folder did not begin is never touched.
        """
        there = self.mark()
        if there is not None and there not in (_read(self._unfinished), _read(self._finished)):
            raise LocalTrytonError(
                f"There is already a database {NAME!r} that {self.folder} knows nothing of. "
                "Drop it or use another PostgreSQL server."
            )
        mark = f"local Tryton {secrets.token_hex(8)}" if self.server_uri else SQLITE
        if there is not None and self.server_uri:
            asyncio.run(_drop(self.server_uri))
        self._unfinished.write_text(mark, "utf-8")
        self._finished.unlink(missing_ok=True)
        if self.server_uri:
            asyncio.run(_create(self.server_uri, mark))
        else:
            for left_over in self.folder.glob(f"{NAME}.sqlite*"):
                left_over.unlink()
            self.sqlite_file.touch()

    def finish(self) -> None:
        """Note that the database is complete; until then a new start begins again."""
        self._unfinished.replace(self._finished)

    def is_finished(self) -> bool:
        """Tell whether a complete database of ours is there."""
        noted = _read(self._finished)
        return noted is not None and self.mark() == noted


def write_config(place: Place, port: int) -> Path:
    """Write Tryton's configuration file (mode 600, it may hold a password); gives its path."""
    path = place.folder / "trytond.conf"
    path.touch(mode=0o600)
    path.write_text(
        f"[database]\nuri = {place.uri}\npath = {place.folder}\ndefault_name = {NAME}\n"
        f"[web]\nlisten = 127.0.0.1:{port}\nnum_proxies = 0\n",
        "utf-8",
    )
    return path


def initialise(
    installed: Installed, config: Path, password_file: Path, report: Report, watch: Watch
) -> None:
    """Make Tryton's tables and ship its records; takes 15 s on SQLite, 30 s on PostgreSQL."""
    report(f"initialising Tryton's database with {', '.join(MODULES)}")
    command = [str(installed.admin), "-vv", "-c", str(config), "-d", NAME, "-u", *MODULES]
    command += ["--activate-dependencies", "--email", "admin@example.org", "-p"]
    log = config.with_name("initialise.log")
    environment = {"TRYTONPASSFILE": str(password_file)}
    run_step(
        Step("Tryton's database", command, log, INITIALISE_TIMEOUT_S, environment, _where), watch
    )


def _where(told: str) -> str:
    modules = _MODULE.findall(told)
    return f"module {len(modules)}, {modules[-1]}" if modules else ""


def _read(note: Path) -> str | None:
    return note.read_text("utf-8") if note.is_file() else None


async def _mark(server_uri: str) -> str | None:
    connection = await _connect(server_uri)
    try:
        query = (
            "select coalesce(shobj_description(oid, 'pg_database'), '') from pg_database"
            " where datname = $1"
        )
        found: str | None = await connection.fetchval(query, NAME)
        return found
    finally:
        await connection.close()


async def _drop(server_uri: str) -> None:
    connection = await _connect(server_uri)
    try:
        await connection.execute(f'drop database if exists "{NAME}" with (force)')
    finally:
        await connection.close()


async def _create(server_uri: str, mark: str) -> None:
    connection = await _connect(server_uri)
    try:
        await connection.execute(f'drop database if exists "{UNFINISHED}" with (force)')
        await connection.execute(
            f"create database \"{UNFINISHED}\" template template0 encoding 'UTF8'"
        )
        await connection.execute(f"comment on database \"{UNFINISHED}\" is '{mark}'")
        await connection.execute(f'alter database "{UNFINISHED}" rename to "{NAME}"')
    finally:
        await connection.close()


async def _connect(server_uri: str) -> asyncpg.Connection[asyncpg.Record]:
    parts = urlsplit(server_uri)
    dsn = urlunsplit(("postgresql", parts.netloc, "/postgres", "", ""))
    try:
        return await asyncpg.connect(dsn, timeout=10)
    except (OSError, asyncpg.PostgresError) as error:
        host = f"{parts.hostname}:{parts.port}"
        raise LocalTrytonError(f"PostgreSQL at {host} cannot be used: {error}") from error
