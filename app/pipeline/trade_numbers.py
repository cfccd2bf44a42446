"""Trade numbers that two articles carry: tills go on ringing by SKU, and somebody is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.connections.tenant import acting_tenant
from app.pipeline.reading import Read
from app.pipeline.rows import clean
from app.retail.breaks import Seen, close_breaks, see_breaks
from connectors.canonical.event import PRODUCT_SET
from connectors.canonical.product import Product
from infra.database.unit import Session

BREAK_KIND = "gtin_duplicate"

_USE = """
insert into gtin_use (tenant_id, gtin, level, sku, connection_id)
select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::uuid[]) on conflict do nothing
"""
# What an article does not carry any more is another's to carry.
_GIVEN_UP = """
delete from gtin_use where tenant_id = $1 and sku = any($2) and (gtin, level, sku) not in (
    select * from unnest($3::text[], $4::text[], $5::text[]))
returning gtin, level
"""
_SHARED = """
select gtin, level, sku from gtin_use where tenant_id = $1 and gtin = any($2)
order by gtin, level, first_at, sku
"""


async def look_for_shared_numbers(session: Session, read: Sequence[Read]) -> None:
    """Note which article carries which trade number, and make a break of each that two carry.

    Numbers with a wrong check digit, and those that mean something in one shop only, are shared freely.
    """
    told = [one for one in read if one.event.type == PRODUCT_SET]
    if not told:
        return
    carried = {
        (key.value, number.level, clean(variant.sku)): one.message.connection_id
        for one in told
        if isinstance(one.event.body, Product)
        for variant in one.event.body.variants
        for number in variant.gtins
        if (key := number.read()) is not None and key.may_be_published
    }
    skus = [
        clean(variant.sku)
        for one in told
        if isinstance(one.event.body, Product)
        for variant in one.event.body.variants
    ]
    tenant_id, rows = acting_tenant(session), sorted(carried)
    columns = [[row[place] for row in rows] for place in range(3)]
    given_up = await session.fetch(_GIVEN_UP, tenant_id, skus, *columns)
    await session.execute(_USE, tenant_id, *columns, [carried[row] for row in rows])
    touched = {row[0] for row in rows} | {row["gtin"] for row in given_up}
    await _tell(session, sorted(touched))


async def _tell(session: Session, numbers: Sequence[str]) -> None:
    tenant_id = acting_tenant(session)
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in await session.fetch(_SHARED, tenant_id, list(numbers)):
        found[row["gtin"], row["level"]].append(row["sku"])
    shared = {key: skus for key, skus in found.items() if len(skus) > 1}
    seen = [
        Seen(
            BREAK_KIND,
            f"{number}/{level}",
            f"The trade number {number} ({level}) is carried by {skus[0]} and by"
            f" {', '.join(skus[1:])}. {skus[0]} had it first. Both are sold by their SKU; correct the"
            " number of the wrong one before a marketplace is told of it.",
        )
        for (number, level), skus in shared.items()
    ]
    await see_breaks(session, tenant_id, seen)
    alone = [f"{number}/{level}" for number in numbers for level in _LEVELS]
    kept = {each.key for each in seen}
    gone = [key for key in alone if key not in kept]
    await close_breaks(session, tenant_id, BREAK_KIND, gone, "One article carries it now.")


_LEVELS = ("each", "inner", "case", "pallet")
