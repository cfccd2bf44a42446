"""Which records an act on many is about: named by their ids, or all that a filter finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from app.exceptions.hold import HoldFilter, conditions
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import FieldError, Unprocessable
from infra.ids import Id

MOST_AT_ONCE = 10_000

DECIDED = "hold.already_decided"
MISSING = "resource.not_found"


@dataclass(frozen=True, slots=True)
class Selection:
    """Either ids or a filter. `after` is the last id that an earlier call handled: it goes on there."""

    ids: tuple[Id, ...] | None = None
    filter: HoldFilter | None = None
    after: Id | None = None


@dataclass(frozen=True, slots=True)
class Picked:
    """The ids to act on, in their order (oldest first), and how many more there are."""

    ids: tuple[Id, ...]
    left: int


@dataclass(frozen=True, slots=True)
class BulkPreview:
    """What an act would do now: to how many, worth what, and who would be refused why.

    `money` by currency is that of the records that would be decided; `left` is beyond one call.
    """

    would_do: int
    money: Mapping[str, Decimal]
    refused: Mapping[str, int]
    left: int


async def pick(scope: TenantScope, database: Database, selection: Selection) -> Picked:
    """Fix the ids of one call; raises Unprocessable for more ids than one call takes."""
    if selection.ids is not None:
        ids = sorted(set(selection.ids))
        if len(ids) > MOST_AT_ONCE:
            words = f"One call takes at most {MOST_AT_ONCE:,} records."
            raise Unprocessable(
                words,
                code="bulk.too_many",
                errors=(FieldError("/ids", "bulk.too_many", words),),
            )
        if selection.after is not None:
            ids = [each for each in ids if each > selection.after]
        return Picked(tuple(ids), 0)
    wanted = replace(selection.filter or HoldFilter(), before=None)
    where, args = conditions(scope, wanted)
    if selection.after is not None:
        args.append(selection.after)
        where += f" and id > ${len(args)}"
    async with begin(scope, database) as session:
        rows = await session.fetch(
            f"select id, count(*) over () as all_of from hold where {where}"  # noqa: S608
            f" order by id limit {MOST_AT_ONCE}",
            *args,
        )
    left = rows[0]["all_of"] - len(rows) if rows else 0
    return Picked(tuple(row["id"] for row in rows), left)


async def preview_bulk(
    scope: TenantScope, database: Database, selection: Selection, *, decides: bool
) -> BulkPreview:
    """Say what an act would do; nothing is locked, so it is as of now.

    `decides` says that the act needs the record itself to wait still, not only its hold to be open.
    """
    picked = await pick(scope, database, selection)
    async with begin(scope, database) as session:
        rows = await session.fetch(
            "select h.state = 'open' and (not $3 or coalesce(d.state, m.state) = 'held') as is_open,"
            " h.currency, count(*) as count, sum(h.amount) as amount from hold h"
            " left join delivery d on d.tenant_id = $1 and d.id = h.delivery_id"
            " left join message m on m.tenant_id = $1 and m.id = h.message_id"
            " where h.tenant_id = $1 and h.id = any($2) group by 1, 2",
            scope.tenant_id,
            list(picked.ids),
            decides,
        )
    counts = Counter({True: 0, False: 0})
    money: dict[str, Decimal] = {}
    for row in rows:
        counts[row["is_open"]] += row["count"]
        if row["is_open"] and row["currency"] and row["amount"] is not None:
            money[row["currency"]] = row["amount"]
    missing = len(picked.ids) - counts.total()
    refused = {DECIDED: counts[False], MISSING: missing}
    return BulkPreview(
        counts[True], money, {code: n for code, n in refused.items() if n}, picked.left
    )
