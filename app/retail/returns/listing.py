"""List returns: which step waits since when, whose turn it is, and what it is about in money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from app.retail.returns.consistency import COMBINATIONS
from app.retail.returns.steps import BY_ID, StepId
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.ids import Id

LISTED_MOST = 500
WHO = {
    "auto": "nobody: it goes on by itself",
    "human": "a person",
    "external": "the carrier or the channel",
    "nobody": "nobody",
}
WaitsFor = Literal["auto", "human", "external", "nobody"]

COLUMNS = (
    "id, label, number, kind, order_id, status, step, step_since, limit_at, waits_for, words,"
    " currency, owed, refunded, breaks, agreement, opened_at, closed_at,"
    " coalesce(limit_at <= now(), false) as is_stuck"
)
_WHERE = """
tenant_id = $1 and (not $2 or (status = 'open' and waits_for <> 'nobody')) and ($3 = '' or step = $3)
    and ($4 = '' or waits_for = $4) and ($5::bool is null or coalesce(limit_at <= now(), false) = $5)
    and ($6::timestamptz is null or opened_at < $6) and ($7 = '' or order_id = $7)
"""
# Stuck ones first, the longest first.
_BY_URGENCY = (
    "order by status <> 'open', coalesce(limit_at <= now(), false) desc, step_since, id limit $8"
)
_NEWEST = "and ($9::uuid is null or id < $9) order by id desc limit $8"


@dataclass(frozen=True, slots=True)
class ReturnFilter:
    """Which returns: `opened_before` for those older than that, `before` for the next page."""

    only_open: bool = True
    step: StepId | Literal[""] = ""
    waits_for: WaitsFor | Literal[""] = ""
    is_stuck: bool | None = None
    opened_before: datetime | None = None
    order_id: str = ""
    before: Id | None = None


@dataclass(frozen=True, slots=True)
class ReturnSummary:
    """One return in a list; amounts in `currency`, moments UTC. `is_stuck`: longer than it may.

    `agreement` says of goods, refund, books and history which are through (consistency.py).
    """

    id: Id
    label: str
    number: str
    kind: str
    order_id: str
    status: str
    step: str
    step_title: str
    step_since: datetime
    limit_at: datetime | None
    is_stuck: bool
    who: str
    words: str
    currency: str
    owed: Decimal
    refunded: Decimal
    breaks: tuple[str, ...]
    agreement: str
    agreement_words: str
    opened_at: datetime
    closed_at: datetime | None


async def list_returns(
    scope: TenantScope,
    database: Database,
    *,
    only_open: bool = True,
    limit: int = LISTED_MOST,
    wanted: ReturnFilter | None = None,
    newest_first: bool = False,
) -> list[ReturnSummary]:
    """List a retailer's returns: stuck ones first, then those that wait longest; or newest first."""
    sought = wanted or ReturnFilter(only_open)
    args: list[object] = [
        scope.tenant_id, sought.only_open, sought.step, sought.waits_for, sought.is_stuck,
        sought.opened_before, sought.order_id, min(limit, LISTED_MOST),
    ]  # fmt: skip
    if newest_first:
        args.append(sought.before)
    tail = _NEWEST if newest_first else _BY_URGENCY
    async with begin(scope, database) as session:
        rows = await session.fetch(
            f"select {COLUMNS} from return_process where {_WHERE} {tail}",  # noqa: S608 - of this file
            *args,
        )
    return [summary_of(row) for row in rows]


async def find_summary(session: Session, scope: TenantScope, return_id: Id) -> ReturnSummary | None:
    """Read one return's line; None when there is none."""
    row = await session.fetch_one(
        f"select {COLUMNS} from return_process where tenant_id = $1 and id = $2",  # noqa: S608
        scope.tenant_id,
        return_id,
    )
    return None if row is None else summary_of(row)


def summary_of(row: Row) -> ReturnSummary:
    """Make a line of a row of `COLUMNS`."""
    values: dict[str, Any] = dict(row)
    values["who"] = WHO[values.pop("waits_for")]
    values["step_title"] = BY_ID[row["step"]].title
    values["breaks"] = tuple(row["breaks"])
    values["agreement_words"] = COMBINATIONS[row["agreement"]].words
    return ReturnSummary(**values)
