"""Which version of the product runs, as far as incidents need to know it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from app.connections.changes import note_release
from infra.database.pool import Database

_PACKAGE = "tillwire"


async def note_running_version(database: Database) -> bool:
    """Note the version of this process when it is not the one known last; False when it is."""
    running = running_version()
    return await note_release(database, running) if running else False


def running_version() -> str:
    """Give the version of the installed package; empty in a source tree that was never installed."""
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return ""
