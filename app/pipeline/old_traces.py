"""Forget what old tickets were compared by: a till that was offline is back within the week."""

from __future__ import annotations

from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin

KEPT_DAYS = 7
# Each time what became old within the hour: so a deletion stays small.
FORGET_EVERY_S = 3_600.0

_FORGET = "delete from document_trace where seen_at < now() - make_interval(days => $1)"


async def forget_old_traces(database: Database) -> int:
    """Delete traces of tickets that came a week ago; gives how many. Safe to call any time."""
    async with begin(EngineScope(), database) as session:
        return await session.execute(_FORGET, KEPT_DAYS)
