"""Sum the items of a replay: records and money by what was promised, or by what happened."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from infra.database.unit import Session

By = Literal["promised", "happened"]

_SUMS: dict[By, str] = {
    by: f"select {by} as what, currency, count(*) as records, sum(amount) as amount from replay_item"  # noqa: S608
    f" where tenant_id = $1 and replay_id = $2 and {by} <> '' group by 1, 2 order by 1, 2"
    for by in ("promised", "happened")
}
_EFFECTS = """
select effect, count(*) as records from replay_item cross join unnest(effects) as effect
where tenant_id = $1 and replay_id = $2 and promised in ('create', 'update', 'read_again')
group by 1 order by 1
"""

# By kind: how many `records`, and `amounts` by currency as exact text.
Sums = dict[str, dict[str, Any]]


async def sums(session: Session, tenant_id: UUID, replay_id: UUID, by: By) -> Sums:
    """Give records and money, per currency, of each kind."""
    found: Sums = {}
    for row in await session.fetch(_SUMS[by], tenant_id, replay_id):
        one = found.setdefault(row["what"], {"records": 0, "amounts": {}})
        one["records"] += row["records"]
        if row["currency"] is not None and row["amount"] is not None:
            one["amounts"][row["currency"]] = plain(row["amount"])
    return found


async def effects(session: Session, tenant_id: UUID, replay_id: UUID) -> dict[str, int]:
    """Count what the promised sendings set off, by their words."""
    rows = await session.fetch(_EFFECTS, tenant_id, replay_id)
    return {row["effect"]: row["records"] for row in rows}


def plain(amount: Decimal) -> str:
    """Write an exact amount with at least two decimals and no zeros that only the column added."""
    whole, _, fraction = f"{amount:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"
