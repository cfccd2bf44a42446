"""Let go on what waits for a name, once a name of that system was bound: by whomever, however."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from app.exceptions import release
from app.exceptions.claim import Decision
from app.exceptions.recheck.question import ACTOR
from app.exceptions.together import close_all, release_all, take_all
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import begin
from infra.ids import Id

MOST_AT_ONCE = 500
CODES = (
    "identity.article_unknown",
    "identity.place_unknown",
    "identity.no_name",
    "identity.undecided",
)
WORDS = "A name of this system was bound; released by itself."

# Which name it was is not seen from here. A hold whose own name is still missing is held again when it
# is read or sent: as often as somebody binds names, no oftener.
_NAMED_SINCE = """
select hold.tenant_id, hold.id from hold
left join delivery on delivery.tenant_id = hold.tenant_id and delivery.id = hold.delivery_id
where hold.state = 'open' and hold.code = any($1)
    and (hold.delivery_id is null or delivery.state = 'held')
    and exists (select from binding where binding.tenant_id = hold.tenant_id
        and binding.connection_id = coalesce(delivery.connection_id, hold.connection_id)
        and binding.created_at > hold.created_at)
order by hold.id limit $2
"""


class NamesCame:
    """Looks for holds that waited for names; `ring` wakes the engine."""

    def __init__(self, database: Database, ring: Callable[[], None]) -> None:
        self._database = database
        self._ring = ring
        self._seen: frozenset[Id] = frozenset()

    async def look(self) -> int:
        """Release what was named at the last look already; gives how many. Safe to call any time.

        Not at the first look: what workers know of a system's names may be two seconds old.
        """
        async with begin(EngineScope(), self._database) as session:
            rows = await session.fetch(_NAMED_SINCE, list(CODES), MOST_AT_ONCE)
        seen, self._seen = self._seen, frozenset(row["id"] for row in rows)
        found: defaultdict[Id, list[Id]] = defaultdict(list)
        for row in rows:
            if row["id"] in seen:
                found[row["tenant_id"]].append(row["id"])
        released = sum([await self._release(tenant_id, ids) for tenant_id, ids in found.items()])
        if released:
            self._ring()
        return released

    async def _release(self, tenant_id: Id, ids: list[Id]) -> int:
        scope = TenantScope(tenant_id, ACTOR)
        async with begin(scope, self._database) as session:
            taken = await take_all(session, scope, ids)
            await release_all(session, scope, taken)
            decision = Decision("released", release.ACTION, WORDS)
            await close_all(session, scope, taken, decision, {"reason": WORDS})
        return len(taken.holds)
