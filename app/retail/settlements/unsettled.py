"""Orders that no settlement pays although it is time, and money that is deferred for too long."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from app.retail.breaks import Seen, close_others, see_breaks
from app.retail.each_retailer import for_each_retailer
from app.retail.journals.records import SOLD, decode_facts
from app.retail.journals.rule_book import read_rules
from app.retail.settlements.expect import owed_of
from app.retail.settlements.match import (
    DEFAULT_MATURITY_D,
    MATURITY_D,
    Difference,
    Expected,
    missing,
    overdue,
)
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import Session, begin
from infra.ids import lowest_id_at

LOOK_EVERY_S = 3600.0 * 6
# An order that nobody claimed for this long was given up.
LOOKED_BACK_D = 120
SOLD_WITHIN = timedelta(days=2)

_SELLING = """
select t.id as tenant_id from tenant t where exists (
    select from event e where e.tenant_id = t.id and e.id >= $1 and e.type = any ($2))
"""
# As each order stands now, when no settlement of the channel has a line of it.
_UNSETTLED = """
select distinct on (r.document) r.reference, r.business_day, r.currency, r.facts::text
from sale_record r
where r.tenant_id = $1 and r.channel = $2 and r.kind = 'order' and r.business_day between $3 and $4
    and r.reference <> '' and not exists (
        select from settlement_line l
        join settlement s on s.tenant_id = l.tenant_id and s.id = l.settlement_id
        where l.tenant_id = $1 and l.order_ref = r.reference and s.channel = $5)
order by r.document, r.told_at desc, r.version desc, r.revision desc, r.event_id desc
"""
_DEFERRED = """
select l.order_ref, max(l.posted_at)::date as posted_on, sum(l.amount) as amount,
    max(s.currency) as currency
from settlement_line l join settlement s on s.tenant_id = l.tenant_id and s.id = l.settlement_id
where l.tenant_id = $1 and s.channel = $2 and l.release = 'deferred' and l.order_ref <> ''
    and not exists (
        select from settlement_line r
        join settlement o on o.tenant_id = r.tenant_id and o.id = r.settlement_id
        where r.tenant_id = $1 and r.order_ref = l.order_ref and o.channel = $2
            and r.release = 'deferred_released')
group by l.order_ref
"""
_CHANNELS = "select distinct channel from settlement where tenant_id = $1"


async def look_for_unsettled(database: Database) -> int:
    """Look at all retailers that sell; gives how many. Safe to run twice at once."""
    since = lowest_id_at(clock.now() - SOLD_WITHIN)
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_SELLING, since, list(SOLD))

    async def work(scope: TenantScope) -> int:
        await tell_unsettled(scope, database)
        return 1

    return await for_each_retailer("unsettled", [row["tenant_id"] for row in rows], work)


async def tell_unsettled(
    scope: TenantScope, database: Database, today: date | None = None
) -> list[Difference]:
    """Tell what one retailer is owed and did not get; what was paid since is closed.

    Which of its connections a channel pays for is said in the posting rules (`settled_by`).
    """
    day = today or clock.now().date()
    found: list[Difference] = []
    async with begin(scope, database) as session:
        rules = await read_rules(session, scope)
        for connection, channel in sorted(rules.settled_by.items()):
            found += await _missing(session, scope, connection, channel, day)
        for row in await session.fetch(_CHANNELS, scope.tenant_id):
            found += await _overdue(session, scope, row["channel"], day)
    return found


async def _missing(
    session: Session, scope: TenantScope, connection: str, channel: str, today: date
) -> list[Difference]:
    rows = await session.fetch(
        _UNSETTLED,
        scope.tenant_id,
        connection,
        today - timedelta(days=LOOKED_BACK_D),
        today,
        channel,
    )
    expected = [
        Expected(row["reference"], row["business_day"], owed_of(decode_facts(row["facts"])))
        for row in rows
    ]
    found = missing(expected, (), channel, today)
    currencies = {row["reference"]: row["currency"] for row in rows}
    await _tell(session, scope, f"{channel}/{connection}", channel, found, currencies)
    return found


async def _overdue(
    session: Session, scope: TenantScope, channel: str, today: date
) -> list[Difference]:
    rows = await session.fetch(_DEFERRED, scope.tenant_id, channel)
    maturity = timedelta(days=MATURITY_D.get(channel, DEFAULT_MATURITY_D))
    deferred: dict[str, tuple[date, Decimal]] = {
        row["order_ref"]: (row["posted_on"] + maturity, row["amount"]) for row in rows
    }
    found = overdue(deferred, (), today)
    currencies = {row["order_ref"]: row["currency"] for row in rows}
    await _tell(session, scope, channel, channel, found, currencies, kind="deferred_overdue")
    return found


async def _tell(  # noqa: PLR0913, PLR0917 - one for each part of what is told
    session: Session,
    scope: TenantScope,
    place: str,
    channel: str,
    found: list[Difference],
    currencies: dict[str, str],
    kind: str = "missing_in_settlement",
) -> None:
    seen = [
        Seen(
            kind, f"{channel}/{each.order_ref}", each.words(currencies[each.order_ref]),
            place=place, amount=each.amount, currency=currencies[each.order_ref],
        )
        for each in found
    ]  # fmt: skip
    await see_breaks(session, scope.tenant_id, seen)
    await close_others(
        session, scope.tenant_id, kind, place, None,
        still=[each.key for each in seen], resolution="It is in a settlement now.",
    )  # fmt: skip
