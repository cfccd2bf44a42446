"""The database of the local Tryton: made once, initialised with the modules the connector needs."""

from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from connectors.catalog.tryton.local.failure import LocalTrytonError
from connectors.catalog.tryton.local.install import Installed, Report

NAME = "tryton"
MODULES = ("sale", "sale_point")
INITIALISE_TIMEOUT_S = 300


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
    def _server(self) -> str:
        parts = urlsplit(self.server_uri)
        return f"{parts.hostname}:{parts.port}" if self.server_uri else "sqlite"

    @property
    def _unfinished(self) -> Path:
        return self.folder / "initialising"

    @property
    def _finished(self) -> Path:
        return self.folder / "finished"

    def exists(self) -> bool:
        """Tell whether the database is there."""
        if not self.server_uri:
            return self.sqlite_file.is_file()
        return asyncio.run(_exists(self.server_uri))

    def create_empty(self) -> None:
        """Make an empty database, in place of one that an interrupted start left half made.

        A database of that name which this folder did not begin is never touched.
        """
        if self.exists() and not (self._is_noted(self._unfinished) or self.is_finished()):
            raise LocalTrytonError(
                f"There is already a database {NAME!r} that {self.folder} knows nothing of. "
                "Drop it or use another PostgreSQL server."
            )
        self._unfinished.write_text(self._server, "utf-8")
        self._finished.unlink(missing_ok=True)
        if self.server_uri:
            asyncio.run(_recreate(self.server_uri))
        else:
            for left_over in self.folder.glob(f"{NAME}.sqlite*"):
                left_over.unlink()
            self.sqlite_file.touch()

    def finish(self) -> None:
        """Note that the database is complete; until then a new start begins again."""
        self._finished.write_text(self._server, "utf-8")
        self._unfinished.unlink(missing_ok=True)

    def is_finished(self) -> bool:
        """Tell whether a complete database of ours is there."""
        return self._is_noted(self._finished) and self.exists()

    def _is_noted(self, note: Path) -> bool:
        # The note names its server: the same folder may once be pointed at another one.
        return note.is_file() and note.read_text("utf-8") == self._server


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


def initialise(installed: Installed, config: Path, password_file: Path, report: Report) -> None:
    """Make Tryton's tables and ship its records; takes 15 s on SQLite, 30 s on PostgreSQL."""
    report(f"initialising Tryton's database with {', '.join(MODULES)}")
    command = [str(installed.admin), "-c", str(config), "-d", NAME, "-u", *MODULES]
    done = subprocess.run(  # noqa: S603 - every argument is ours, no shell is involved
        [*command, "--activate-dependencies", "--email", "admin@example.org", "-p"],
        check=False,
        capture_output=True,
        text=True,
        timeout=INITIALISE_TIMEOUT_S,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TRYTONPASSFILE": str(password_file)},
    )
    if done.returncode:
        raise LocalTrytonError(f"Tryton's database failed: {done.stderr.strip()[-600:]}")


async def _exists(server_uri: str) -> bool:
    connection = await _connect(server_uri)
    try:
        query = "select 1 from pg_database where datname = $1"
        return await connection.fetchval(query, NAME) is not None
    finally:
        await connection.close()


async def _recreate(server_uri: str) -> None:
    connection = await _connect(server_uri)
    try:
        await connection.execute(f'drop database if exists "{NAME}" with (force)')
        await connection.execute(f"create database \"{NAME}\" template template0 encoding 'UTF8'")
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
