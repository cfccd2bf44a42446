"""Notice when a vendor answers with another version of its API than before: a change like our own.

Vendors move a shop to a newer version when the asked one has ended, and say so in a header only. The
first version that a connection ever answered with is written down too; it explains nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from app.connections.changes import Change, note_change
from app.connections.directory import BookedConnection
from connectors.registry import manifest
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.ids import Id

MOST_KNOWN = 10_000
VERSION_CHARACTERS = 40

_LAST = """
select detail ->> 'version' from change
where tenant_id = $1 and connection_id = $2 and kind = 'vendor_api' order by at desc, id desc limit 1
"""
# Workers that see it at the same moment write one row.
_ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended('change.vendor_api', 0))"


class VendorVersions:
    """The versions that connections answered with last, as this process saw it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: OrderedDict[Id, str] = OrderedDict()

    async def note(self, booked: BookedConnection, headers: Mapping[str, str]) -> None:
        """Write down a version that is new; costs nothing while the answers state the same."""
        name = manifest(booked.config.connector).version_header
        stated = headers.get(name, "")[:VERSION_CHARACTERS] if name else ""
        if not stated or self._seen.get(booked.config.id) == stated:
            return
        try:
            await self._write(booked, stated)
        except PlatformError:
            return  # the book is away; the next answer states it again
        self._seen[booked.config.id] = stated
        while len(self._seen) > MOST_KNOWN:
            self._seen.popitem(last=False)

    async def _write(self, booked: BookedConnection, stated: str) -> None:
        config = booked.config
        async with begin(TenantScope(config.tenant_id, "engine"), self._database) as session:
            await session.fetch_value(_ONE_AT_A_TIME)
            known = await session.fetch_value(_LAST, config.tenant_id, config.id)
            if known == stated:
                return
            title = config.title or config.name
            before = f" instead of {known}" if known else ""
            change = Change(
                kind="vendor_api",
                words=f"{title} answers with version {stated} of its interface{before}.",
                connector=config.connector,
                connection_id=config.id,
                detail={"version": stated, "before": known or "", "is_first": known is None},
            )
            await note_change(session, change)
