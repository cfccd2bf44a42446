"""Messages that were being read when a worker died: marked before, read one by one afterwards.

What is being read is written down outside the batch's own transaction, so that it is still there when
the worker is not. A mark whose tenant nobody is preparing (its lock is free) was left by a worker that
died: its messages are suspects. A suspect is read alone and counted before, so that the one that ends
workers is found and its neighbours are not blamed (docs/decisions/0015-marks-before-reading.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from connectors.sdk.message import HoldRecord
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin

READS_BEFORE_HOLD = 3

# A mark has to outlive its worker, not its database: nobody waits for the disk.
_MARK = """
insert into prepare_try (tenant_id, worker, message_ids)
select $1, $2, $3 from set_config('synchronous_commit', 'off', true)
on conflict (tenant_id) do update
set worker = excluded.worker, started_at = now(), message_ids = excluded.message_ids
"""
_BLAME = """
update message set crash_count = crash_count + 1 from set_config('synchronous_commit', 'off', true)
where tenant_id = $1 and id = $2
"""
_CLEARED = """
update prepare_try set message_ids = array_remove(message_ids, $2) where tenant_id = $1
"""


async def mark(
    scope: TenantScope, worker: str, message_ids: Sequence[UUID], database: Database
) -> None:
    """Commit that a worker is about to read these messages."""
    async with begin(scope, database) as session:
        await session.execute(_MARK, scope.tenant_id, worker, list(message_ids))


async def blame_if_we_die(scope: TenantScope, message_id: UUID, database: Database) -> None:
    """Commit one more start of a suspect, before it is read alone."""
    async with begin(scope, database) as session:
        await session.execute(_BLAME, scope.tenant_id, message_id)


async def left_behind(session: Session, worker: str) -> list[UUID]:
    """Give what a worker that died was reading; the caller holds the lock of the tenant.

    A mark of our own is none: we live, and what failed was told where it failed.
    """
    found: list[UUID] | None = await session.fetch_value(
        "select message_ids from prepare_try where tenant_id = $1 and worker <> $2",
        _tenant(session),
        worker,
    )
    return found or []


async def clear_one(session: Session, message_id: UUID) -> None:
    """Take a message off the suspects, and its count with it: a person may release it anew."""
    await session.execute(_CLEARED, _tenant(session), message_id)
    await session.execute(
        "update message set crash_count = 0 where tenant_id = $1 and id = $2 and crash_count > 0",
        _tenant(session),
        message_id,
    )


async def unmark(session: Session) -> None:
    """Remove the mark of a batch, in the transaction that writes what the batch says."""
    await session.execute("delete from prepare_try where tenant_id = $1", _tenant(session))


async def unmark_own(scope: TenantScope, worker: str, database: Database) -> None:
    """Remove our mark after a failure that we outlived."""
    async with begin(scope, database) as session:
        await session.execute(
            "delete from prepare_try where tenant_id = $1 and worker = $2", scope.tenant_id, worker
        )


def crashed() -> HoldRecord:
    """Hold a message that ended its worker each time that it was read alone."""
    return HoldRecord(
        "worker.crashed",
        "",
        f"Reading this record ended the program {READS_BEFORE_HOLD} times, so it is set aside."
        " Others go on. Tell the connector's maintainer, then release it.",
    )


def _tenant(session: Session) -> UUID:
    scope = session.scope
    if not isinstance(scope, TenantScope):
        raise TypeError("marks belong to one tenant")
    return scope.tenant_id
