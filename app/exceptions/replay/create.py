"""Ask for a replay: it is written down and previewed in the background; nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.exceptions.replay.promise import Mapping
from app.exceptions.replay.read import Replay, find_replay
from app.exceptions.replay.selection import Selection
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import NotFound, Unprocessable
from infra.ids import new_id
from tenants.audit import record

# A retailer may look at many; each preview costs a second of the database.
MOST_OPEN = 20


class TooManyPreviews(Unprocessable):
    """Too many previews are under way at once."""

    code = "replay.too_many_previews"

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_OPEN} previews are under way already. Wait until one is ready, or cancel one."
        )


async def create_replay(
    scope: TenantScope, database: Database, wanted: Selection, mapping: Mapping, reason: str
) -> Replay:
    """Write a replay down; raises NotFound for records that are not there, TooManyPreviews."""
    replay_id = new_id()
    async with begin(scope, database) as session:
        under_way = await session.fetch_value(
            "select count(*) from replay where tenant_id = $1 and state = 'previewing'",
            scope.tenant_id,
        )
        if under_way >= MOST_OPEN:
            raise TooManyPreviews
        await _check_named(session, scope.tenant_id, wanted)
        await session.execute(
            "insert into replay (tenant_id, id, title, selection, mapping, reason, created_by)"
            " values ($1, $2, $3, $4, $5, $6, $7)",
            scope.tenant_id,
            replay_id,
            f"Replay of {wanted.words()}",
            wanted.model_dump_json(),
            mapping,
            reason,
            scope.actor,
        )
        await record(
            session,
            "replays.preview_replay",
            f"replay:{replay_id}",
            {"reason": reason, "mapping": mapping, "selection": wanted.words()},
        )
        return await find_replay(session, scope.tenant_id, replay_id)


async def _check_named(session: Session, tenant_id: UUID, wanted: Selection) -> None:
    """Refuse ids of what is not there, or another retailer's; both look the same."""
    named: tuple[tuple[str, Sequence[UUID]], ...] = (
        ("hold", wanted.holds),
        ("delivery", wanted.deliveries),
        ("incident", [wanted.incident] if wanted.incident else []),
        ("connection_outage", [wanted.outage] if wanted.outage else []),
        ("connection", [wanted.connection] if wanted.connection else []),
        ("flow", [wanted.flow] if wanted.flow else []),
    )
    for table, ids in named:
        if not ids:
            continue
        known = await session.fetch_value(
            f"select count(*) from {table} where tenant_id = $1 and id = any($2)",  # noqa: S608
            tenant_id,
            list(ids),
        )
        if known != len(set(ids)):
            raise NotFound
