"""The books: what was accepted, and what became of each record; the difference must be zero.

Accepted is counted from receipts, written with each message and never touched again; fates are
counted from messages and deliveries. So a row lost anywhere shows as a difference.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from infra.database.unit import Session

# What can have become of an accepted record, once it is final.
FATES = ("delivered", "superseded", "skipped", "merged", "cancelled", "discarded")

# One statement, one snapshot: receipts, messages and deliveries are read at the same moment. A
# routed message whose deliveries are not all there has no fate, and so stays unaccounted.
_BOOKS = """
with routed as (
    select d.tenant_id, d.message_id, count(*) filter (where d.replay_no = 0) as routes,
        bool_or(d.state = 'held') as is_held,
        bool_or(d.state in ('ready', 'delivering', 'waiting', 'checking')) as is_open,
        bool_or(d.state = 'delivered') as is_delivered, bool_or(d.state = 'discarded') as is_discarded,
        bool_or(d.state = 'superseded') as is_superseded
    from delivery d
    where d.accepted_at >= $1 and d.accepted_at < $2 and ($3::uuid is null or d.tenant_id = $3)
    group by d.tenant_id, d.message_id
), fated as (
    select m.tenant_id, m.connection_id, date_trunc('hour', m.received_at) as hour,
        case when m.state = 'received' then 'in_flight'
            when m.state in ('held', 'discarded', 'cancelled') then m.state
            when m.fate <> 'routed' then m.fate
            when r.routes is distinct from m.routes then 'missing'
            when r.is_held then 'held' when r.is_open then 'in_flight'
            when m.state <> 'settled' then 'missing'
            when r.is_delivered then 'delivered' when r.is_discarded then 'discarded'
            when r.is_superseded then 'superseded' else 'cancelled' end as fate
    from message m
    left join routed r on r.tenant_id = m.tenant_id and r.message_id = m.id
    where m.received_at >= $1 and m.received_at < $2 and ($3::uuid is null or m.tenant_id = $3)
)
select tenant_id, connection_id, hour, fate, count(*) as count from fated group by 1, 2, 3, 4
union all
select tenant_id, connection_id, date_trunc('hour', received_at), 'accepted', count(*) from receipt
where received_at >= $1 and received_at < $2 and ($3::uuid is null or tenant_id = $3)
group by 1, 2, 3
"""

_FLOWS = """
select tenant_id, flow_id, date_trunc('hour', accepted_at) as hour, state, count(*) as count
from delivery
where accepted_at >= $1 and accepted_at < $2 and replay_no = 0 and ($3::uuid is null or tenant_id = $3)
group by 1, 2, 3, 4
union all
select e.tenant_id, f.flow_id, date_trunc('hour', e.accepted_at), 'routed', count(*)
from event e cross join unnest(e.routed_to) as f (flow_id)
where e.accepted_at >= $1 and e.accepted_at < $2 and ($3::uuid is null or e.tenant_id = $3)
group by 1, 2, 3
"""

OPEN_STATES = ("ready", "delivering", "waiting", "checking")

Line = tuple[UUID, UUID, datetime]


@dataclass(frozen=True, slots=True)
class Balance:
    """One line of the books: of `accepted` records, each fate, what is held, what is under way.

    `unaccounted` must be 0: accepted less everything that is known of.
    """

    accepted: int = 0
    fates: dict[str, int] = field(default_factory=dict)
    held: int = 0
    in_flight: int = 0

    @property
    def unaccounted(self) -> int:
        """Give what was accepted and cannot be found; negative when something has no receipt."""
        return self.accepted - sum(self.fates.values()) - self.held - self.in_flight

    def __add__(self, other: Balance) -> Balance:
        """Sum two lines."""
        fates = Counter(self.fates)
        fates.update(other.fates)
        return Balance(
            self.accepted + other.accepted,
            dict(fates),
            self.held + other.held,
            self.in_flight + other.in_flight,
        )


async def connection_books(
    session: Session, since: datetime, until: datetime, tenant_id: UUID | None = None
) -> dict[Line, Balance]:
    """Count the records accepted in a time range by (tenant, connection, hour)."""
    rows = await session.fetch(_BOOKS, since, until, tenant_id)
    return _balances(
        ((r["tenant_id"], r["connection_id"], r["hour"]), r["fate"], r["count"]) for r in rows
    )


async def flow_books(
    session: Session, since: datetime, until: datetime, tenant_id: UUID | None = None
) -> dict[Line, Balance]:
    """Count what was routed to each flow by (tenant, flow, hour); accepted here means routed."""
    rows = await session.fetch(_FLOWS, since, until, tenant_id)
    named = dict.fromkeys(OPEN_STATES, "in_flight") | {"routed": "accepted"}
    return _balances(
        ((r["tenant_id"], r["flow_id"], r["hour"]), named.get(r["state"], r["state"]), r["count"])
        for r in rows
    )


def _balances(rows: Iterable[tuple[Line, str, int]]) -> dict[Line, Balance]:
    counted: dict[Line, Counter[str]] = defaultdict(Counter)
    for line, what, count in rows:
        counted[line][what] += count
    return {
        line: Balance(
            accepted=counts["accepted"],
            fates={fate: counts[fate] for fate in FATES if counts[fate]},
            held=counts["held"],
            in_flight=counts["in_flight"],
        )
        for line, counts in counted.items()
    }
