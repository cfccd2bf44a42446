"""Change many items of a replay in one statement."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from infra.database.unit import Session

# Workers join by key alone. A replay's items were written a moment ago, and the planner knows nothing of
# them: it would walk through all of them for each one that is changed.
_JOIN_BY_HASH = "set local enable_hashjoin = on"


async def change_items(
    session: Session, statement: str, tenant_id: UUID, replay_id: UUID, columns: list[list[Any]]
) -> None:
    """Run a statement that takes the retailer, the replay and arrays, the first one of numbers."""
    await session.execute(_JOIN_BY_HASH)
    await session.execute(statement, tenant_id, replay_id, *columns)
