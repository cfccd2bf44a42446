"""Release holds whose cause was our own configuration, once it is put right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from app.exceptions import release
from app.exceptions.claim import Decision
from app.exceptions.recheck.question import ACTOR
from app.exceptions.together import close_all, release_all, take_all
from connectors import registry
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import begin
from infra.ids import Id

MOST_AT_ONCE = 500
EVERY_S = 5.0

# What our own configuration holds, and what is said when it is put right.
WORDS = {
    "flow.disabled": "The flow is switched on again; released by itself.",
    "connection.disabled": "The connection is switched on again; released by itself.",
    "connection.unknown": "The connection is there again; released by itself.",
    "target.predecessor_missing": "A record came that may be what it waits for; released by itself.",
}

# All of what the sender asks for must be right, or it would be held again at once.
_MENDED = """
select hold.tenant_id, hold.id, hold.code from hold
join delivery on delivery.tenant_id = hold.tenant_id and delivery.id = hold.delivery_id
join flow on flow.tenant_id = delivery.tenant_id and flow.id = delivery.flow_id and flow.is_enabled
join connection target on target.tenant_id = delivery.tenant_id
    and target.id = delivery.connection_id and target.state <> 'disabled'
    and target.connector = any($2)
where hold.state = 'open' and hold.code = any($1) and delivery.state = 'held'
    -- What came since, and was not tried, stands behind it in its lane.
    and (hold.code <> 'target.predecessor_missing' or exists (
        select 1 from delivery later where later.tenant_id = delivery.tenant_id
            and later.connection_id = delivery.connection_id
            and later.lane_hash = delivery.lane_hash and later.is_open
            and later.seq > delivery.seq and later.code = ''))
order by hold.id limit $3
"""


class OwnCauses:
    """Looks for holds of one worker's retailers whose cause is gone; `ring` wakes the engine."""

    def __init__(self, database: Database, ring: Callable[[], None]) -> None:
        self._database = database
        self._ring = ring
        self._seen: frozenset[Id] = frozenset()

    async def look(self) -> int:
        """Release what was mended at the last look already; gives how many. Safe to call any time.

        Not at the first look: what workers know of a flow may be two seconds old, and they would
        hold the record again.
        """
        async with begin(EngineScope(), self._database) as session:
            rows = await session.fetch(_MENDED, list(WORDS), list(registry.names()), MOST_AT_ONCE)
        seen, self._seen = self._seen, frozenset(row["id"] for row in rows)
        found: defaultdict[tuple[Id, str], list[Id]] = defaultdict(list)
        for row in rows:
            if row["id"] in seen:
                found[row["tenant_id"], row["code"]].append(row["id"])
        released = 0
        for (tenant_id, code), ids in found.items():
            scope = TenantScope(tenant_id, ACTOR)
            released += await _release(scope, self._database, ids, WORDS[code])
        if released:
            self._ring()
        return released


async def _release(scope: TenantScope, database: Database, ids: list[Id], words: str) -> int:
    async with begin(scope, database) as session:
        taken = await take_all(session, scope, ids)
        await release_all(session, scope, taken)
        decision = Decision("released", release.ACTION, words)
        await close_all(session, scope, taken, decision, {"reason": words})
    return len(taken.holds)
