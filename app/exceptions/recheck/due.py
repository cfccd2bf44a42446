"""Which open holds are to be asked about now: fairly over connections, and few of each at a time."""

from __future__ import annotations

from dataclasses import dataclass

from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.ids import Id

ROUND_S = 1.0
LOOKS_PER_ROUND = 500
# Of one connection in one round; the connector's quota and the shared budget bound it further.
ASKS_PER_ROUND = 5
# A worker that dies while it asks leaves the question to the next one after this.
ASKED_FOR_S = 45.0
# A target that is down, paused or refuses us is not asked at all.
RESTS_S = 15.0
# First seen every 45 s: with the round and the answer itself it is less than a minute.
AGAIN_S = 45.0
FIRST_DAY_S = 86_400.0
LATER_S = 600.0

_TAKE = """
with due as (
    select tenant_id, id, connection_id, recheck_at from hold
    where state = 'open' and recheck_at <= now() and delivery_id is not null
    order by recheck_at limit $1 for update skip locked
), ranked as (
    select due.*, row_number() over (partition by due.tenant_id, due.connection_id
            order by due.recheck_at, due.id) as place,
        coalesce(health.state, 'closed') <> 'closed' or coalesce(target.state, '') <> 'active' as rests
    from due
    left join connection_health health on health.tenant_id = due.tenant_id
        and health.connection_id = due.connection_id
    left join connection target on target.tenant_id = due.tenant_id and target.id = due.connection_id
)
update hold set recheck_at = now() + make_interval(secs => case when ranked.rests then $3::float8
    -- Those that find no place in this round stand behind each other in the next ones.
    when ranked.place > $2::int then $5::float8 * ((ranked.place - 1) / $2) else $4::float8 end)
from ranked where hold.tenant_id = ranked.tenant_id and hold.id = ranked.id
returning hold.tenant_id, hold.id, hold.connection_id,
    not ranked.rests and ranked.place <= $2 as is_now
"""
_PUT_OFF = """
update hold set rechecks = rechecks + 1, recheck_at = case when $3::bool then
    now() + make_interval(secs => case when created_at > now() - make_interval(secs => $4::float8)
        then $5::float8 else $6::float8 end) end
where tenant_id = $1 and id = $2 and state = 'open'
"""
# One that was not asked keeps its count; it is only late.
_POSTPONE = (
    "update hold set recheck_at = now() + make_interval(secs => $3::float8)"
    " where tenant_id = $1 and id = $2 and state = 'open'"
)


@dataclass(frozen=True, slots=True)
class DueHold:
    """One hold to be asked about, ours until its next recheck."""

    tenant_id: Id
    id: Id
    connection_id: Id


async def take_due(database: Database) -> list[DueHold]:
    """Take the holds of one round; two workers never take the same one."""
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(
            _TAKE, LOOKS_PER_ROUND, ASKS_PER_ROUND, RESTS_S, ASKED_FOR_S, ROUND_S
        )
    return [
        DueHold(row["tenant_id"], row["id"], row["connection_id"]) for row in rows if row["is_now"]
    ]


async def ask_again_later(database: Database, due: DueHold, *, is_askable: bool) -> None:
    """Set the next recheck: within the minute on the first day, then every ten; never where in vain."""
    async with begin(EngineScope(), database) as session:
        await session.execute(
            _PUT_OFF, due.tenant_id, due.id, is_askable, FIRST_DAY_S, AGAIN_S, LATER_S
        )


async def postpone(database: Database, due: DueHold, after_s: float) -> None:
    """Put a question off that was not asked for want of budget."""
    async with begin(EngineScope(), database) as session:
        await session.execute(_POSTPONE, due.tenant_id, due.id, after_s)
