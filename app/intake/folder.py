"""The watched folder: `<root>/<tenant id>/<connection id>/` holds files that tills leave there.

A file is taken when its size has not changed between two looks, read, then moved to `done/`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from app.intake.files import FileParts, receive_file
from infra.database.scope import TenantScope
from infra.errors import PlatformError
from infra.ids import parse_id
from infra.telemetry.events import log_event

LOOK_EVERY_S = 1.0
CHUNK_BYTES = 262_144
DONE = "done"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class _Found:
    tenant_id: UUID
    connection_id: UUID
    path: Path
    size_bytes: int


@dataclass(slots=True)
class FolderWatch:
    """Looks into the root every second; a half-written file is left until it has come to rest."""

    root: Path
    parts: FileParts
    _seen: dict[Path, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            found = await asyncio.to_thread(_look, self.root)
            for one in found:
                if self._seen.get(one.path) == one.size_bytes:
                    await self._take(one)
            self._seen = {one.path: one.size_bytes for one in found if one.path.exists()}
            await asyncio.sleep(LOOK_EVERY_S)

    async def _take(self, found: _Found) -> None:
        scope = TenantScope(found.tenant_id, "folder")
        try:
            receipt = await receive_file(
                scope, self.parts, found.connection_id, found.path.name, _chunks(found.path)
            )
        except PlatformError as refusal:
            if refusal.retry_after_s is None and refusal.status < 500:  # noqa: PLR2004
                # What may pass, or is ours, is tried again at the next look.
                await asyncio.to_thread(_move, found.path, REFUSED)
            self._tell(found, code=refusal.code, records=0)
            return
        await asyncio.to_thread(_move, found.path, DONE)
        self._tell(found, code="", records=receipt.records)

    def _tell(self, found: _Found, *, code: str, records: int) -> None:
        log_event(
            "file.refused" if code else "file.taken",
            tenant=str(found.tenant_id),
            connection=str(found.connection_id),
            file_bytes=found.size_bytes,
            records=records,
            code=code,
        )


def _look(root: Path) -> list[_Found]:
    found = []
    for path in sorted(root.glob("*/*/*")):
        tenant_id, connection_id = parse_id(path.parts[-3]), parse_id(path.parts[-2])
        is_whole = path.is_file() and not path.name.startswith(".") and path.suffix != ".part"
        if tenant_id and connection_id and is_whole:
            found.append(_Found(tenant_id, connection_id, path, path.stat().st_size))
    return found


def _move(path: Path, to: str) -> None:
    folder = path.parent / to
    folder.mkdir(exist_ok=True)
    path.rename(folder / path.name)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
