"""Files: cut into records while they stream, each record one message with its place in the file.

Killed in the middle, the file is simply read again: its records are recognised one by one. The same
file again changes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO

from app.connections.directory import BookedConnection, ConnectionBook
from app.intake.group_commit import IntakeWriter
from app.intake.incoming import WHOLE_FILE, Incoming
from connectors import registry
from connectors.sdk.message import FileRecord, HoldRecord, Position
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import NotFound, PlatformError, Unprocessable
from infra.ids import Id, new_id
from infra.telemetry.trace import new_traceparent

RECORDS_PER_COMMIT = 200
IN_MEMORY_BYTES = 4_194_304  # larger files wait on disk while they are read
FILE_MAX_BYTES = 52_428_800
NAME_MAX = 200


@dataclass(frozen=True, slots=True)
class FileReceipt:
    """What became of a file: its records, how many were already known, how many cannot be read."""

    file_id: Id
    records: int
    duplicates: int
    broken: int
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class FileParts:
    """What receiving files works with."""

    database: Database
    connections: ConnectionBook
    writer: IntakeWriter


class FileTooLarge(PlatformError):
    """The file is beyond what is taken in one piece."""

    status = 413
    code = "file.too_large"

    def __init__(self) -> None:
        super().__init__(f"A file may have {FILE_MAX_BYTES // 1_048_576} MB. Send it in parts.")


async def receive_file(
    scope: TenantScope,
    parts: FileParts,
    connection_id: Id,
    name: str,
    chunks: AsyncIterator[bytes],
) -> FileReceipt:
    """Take a whole file and store its records; returns after all of them are durable.

    Raises NotFound, FileTooLarge, BacklogFull, or Unprocessable when the connection reads no files.
    """
    booked = await parts.connections.find(scope.tenant_id, connection_id)
    if booked is None or booked.config.state == "disabled":
        raise NotFound
    if "file" not in registry.manifest(booked.config.connector).receives:
        raise Unprocessable("This connection reads no files.", code="connection.no_files")
    await parts.writer.backlogs.refuse_when_full(scope.tenant_id)
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        digest = await _spool(chunks, file)  # type: ignore[arg-type]
        size = file.tell()
        file.seek(0)
        return await _read(scope, parts, booked, _Arrived(name[:NAME_MAX], digest, size, file))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Arrived:
    name: str
    sha256: bytes
    size_bytes: int
    file: BinaryIO


async def _spool(chunks: AsyncIterator[bytes], file: BinaryIO) -> bytes:
    digest, size = hashlib.sha256(), 0
    async for chunk in chunks:
        size += len(chunk)
        if size > FILE_MAX_BYTES:
            raise FileTooLarge
        digest.update(chunk)
        await asyncio.to_thread(file.write, chunk)
    return digest.digest()


async def _read(
    scope: TenantScope, parts: FileParts, booked: BookedConnection, arrived: _Arrived
) -> FileReceipt:
    file_id, known = await _enter(scope, parts.database, booked.config.id, arrived)
    if known is not None:
        return known
    receipt = FileReceipt(file_id, 0, 0, 0)
    trace_parent = new_traceparent()
    records = _records(booked, arrived)
    while True:
        batch = await asyncio.to_thread(lambda: list(islice(records, RECORDS_PER_COMMIT)))
        if not batch:
            break
        accepted = await parts.writer.accept_all(
            [_incoming(booked, file_id, record, trace_parent) for record in batch]
        )
        receipt = replace(
            receipt,
            records=receipt.records + len(batch),
            duplicates=receipt.duplicates + sum(one.is_duplicate for one in accepted),
            broken=receipt.broken + sum(record.problem is not None for record in batch),
        )
    await _finish(scope, parts.database, receipt)
    return receipt


def _records(booked: BookedConnection, arrived: _Arrived) -> Iterator[FileRecord]:
    """Cut the file; when no record can be trusted, the whole file is one record that is held."""
    connector = registry.load(booked.config.connector)
    try:
        yield from connector.split(arrived.name, arrived.file, booked.config.settings)
    except HoldRecord as problem:
        arrived.file.seek(0)
        yield FileRecord(
            topic=WHOLE_FILE,
            key=f"file|{arrived.sha256.hex()}",
            body=arrived.file.read(),
            position=Position(arrived.name, 1, 1, 0),
            problem=problem,
        )


def _incoming(
    booked: BookedConnection, file_id: Id, record: FileRecord, trace_parent: str
) -> Incoming:
    headers = {}
    if record.problem is not None:
        headers["x-problem"] = json.dumps(
            {
                "code": record.problem.code,
                "pointer": record.problem.pointer,
                "words": record.problem.words,
            }
        )
    content = hashlib.sha256(record.body).hexdigest()
    return Incoming(
        tenant_id=booked.config.tenant_id,
        connection_id=booked.config.id,
        topic=record.topic,
        dedup=f"file|{record.key}|{content}",
        body=record.body,
        headers=headers,
        position=record.position,
        file_id=file_id,
        trace_parent=trace_parent,
    )


async def _enter(
    scope: TenantScope, database: Database, connection_id: Id, arrived: _Arrived
) -> tuple[Id, FileReceipt | None]:
    """Write the file down; one whose content was read to the end before is known.

    One with broken records is read again: the connection may have been corrected meanwhile (its
    encoding, its columns), and what is read the same as before is recognised record by record.
    """
    file_id = new_id()
    async with begin(scope, database) as session:
        row = await session.fetch_one(
            "insert into file (tenant_id, id, connection_id, name, sha256, size_bytes, state,"
            " received_at) values ($1, $2, $3, $4, $5, $6, 'reading', now())"
            " on conflict (tenant_id, connection_id, sha256) do update set name = file.name"
            " returning id, state, records, duplicates, broken",
            scope.tenant_id,
            file_id,
            connection_id,
            _storable(arrived.name),
            arrived.sha256,
            arrived.size_bytes,
        )
    if row is None or row["state"] == "reading" or row["broken"]:
        return (row["id"] if row else file_id), None
    return row["id"], FileReceipt(
        row["id"], row["records"], row["records"], row["broken"], is_known=True
    )


async def _finish(scope: TenantScope, database: Database, receipt: FileReceipt) -> None:
    async with begin(scope, database) as session:
        await session.execute(
            "update file set state = 'read', records = $3, duplicates = $4, broken = $5,"
            " read_at = now() where tenant_id = $1 and id = $2",
            scope.tenant_id,
            receipt.file_id,
            receipt.records,
            receipt.duplicates,
            receipt.broken,
        )


def _storable(name: str) -> str:
    return name.replace("\x00", "").encode("utf-8", "replace").decode()
