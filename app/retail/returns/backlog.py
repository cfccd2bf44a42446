"""The backlog of returns: step by age, with its money; and what does not agree past its time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from app.retail.breaks import Seen, see_breaks
from app.retail.returns.consistency import COMBINATIONS
from app.retail.returns.listing import ReturnFilter, ReturnSummary, list_returns
from app.retail.returns.steps import BY_ID
from app.retail.returns.store import STUCK
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import begin

# Days since it was opened: first day of each bucket.
BUCKETS: tuple[tuple[int, str], ...] = (
    (0, "0-1 days"), (2, "2-3 days"), (4, "4-7 days"), (8, "8-14 days"), (15, "15 days and more"),
)  # fmt: skip
WATCH_EVERY_S = 60.0

_STUCK = (
    "select distinct tenant_id from return_process where status = 'open' and limit_at <= now()"
    " limit 1000"
)
_BACKLOG = """
select step, extract(day from now() - opened_at)::int as days, currency, count(*) as count,
    sum(greatest(owed, refunded)) as amount, count(*) filter (where limit_at <= now()) as stuck
from return_process where tenant_id = $1 and status = 'open' and waits_for <> 'nobody'
group by step, days, currency
"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Open returns of one step, age and currency; `amount` is what is owed or was paid already."""

    step: str
    step_title: str
    age: str
    currency: str
    count: int
    amount: Decimal
    stuck: int


async def read_backlog(scope: TenantScope, database: Database) -> list[Backlog]:
    """Count a retailer's open returns by step and age, in the order of the steps, oldest last."""
    async with begin(scope, database) as session:
        rows = await session.fetch(_BACKLOG, scope.tenant_id)
    sums: dict[tuple[str, int, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for row in rows:
        key = (row["step"], _bucket(row["days"]), row["currency"])
        found = (row["count"], row["amount"], row["stuck"])
        sums[key] = [one + more for one, more in zip(sums[key], found, strict=True)]
    ordered = sorted(sums.items(), key=lambda each: (int(each[0][0][1:]), *each[0][1:]))
    return [
        Backlog(step, BY_ID[step].title, BUCKETS[bucket][1], currency,  # type: ignore[index]
                int(count), amount, int(stuck))
        for (step, bucket, currency), (count, amount, stuck) in ordered
    ]  # fmt: skip


async def watch_returns(database: Database) -> int:
    """Write a break for each return whose time is over; gives how many. It closes when it goes on."""
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_STUCK)
    found = 0
    for row in rows:
        scope = TenantScope(row["tenant_id"], "system")
        stuck = await list_returns(scope, database, wanted=ReturnFilter(is_stuck=True))
        async with begin(scope, database) as session:
            await see_breaks(session, scope.tenant_id, list(_seen(stuck)))
        found += len(stuck)
    return found


def _seen(stuck: Iterable[ReturnSummary]) -> Iterable[Seen]:
    for each in stuck:
        halt = COMBINATIONS[each.agreement]
        owner = halt.owner if halt.owner != "nobody" else each.who
        words = (
            f"{each.label}: '{each.step_title}' is without word since"
            f" {each.step_since:%-d %b %Y %H:%M} UTC. {each.words} {halt.words}"
            f" Whose turn: {owner}. What to do: {halt.click}"
        )
        yield Seen(
            STUCK,
            str(each.id),
            words,
            amount=max(each.owed, each.refunded),
            currency=each.currency or None,
        )


def _bucket(days: int) -> int:
    return max(place for place, (first, _) in enumerate(BUCKETS) if days >= first)
