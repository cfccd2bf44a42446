"""Close a store day: take what came, audit it, and book what is new since the last close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from app.retail.breaks import Seen, close_others, see_breaks
from app.retail.journals.audit import (
    Day,
    DayTotals,
    Declared,
    Finding,
    OverShort,
    audit,
    completeness,
    over_short_balances,
    over_shorts,
)
from app.retail.journals.complete import days_to_look_at, days_with_gaps, look_for_gaps
from app.retail.journals.day_book import Said, StoreDay, lock_day, move_day
from app.retail.journals.day_sums import read_day_sums, read_evidence
from app.retail.journals.fold import Balances
from app.retail.journals.gaps import Gap
from app.retail.journals.post import (
    Books,
    JournalKey,
    Wanted,
    booked_currencies,
    post_revision,
)
from app.retail.journals.rule_book import read_rules
from app.retail.journals.rules import Audit
from app.retail.journals.take import Taken, take_sales
from app.retail.journals.totals import DaySums
from connectors.canonical.journal import Journal, JournalKind
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.keys.vault import Vault
from tenants.audit import record

OVER_SHORT = "over_short"


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """What closing a day came to: its state, what the audit found, and the revisions made."""

    day: StoreDay
    totals: tuple[DayTotals, ...]
    gaps: tuple[Gap, ...]
    over_shorts: tuple[OverShort, ...]
    findings: tuple[Finding, ...]
    words: str
    journals: tuple[Journal, ...] = field(default=())


async def take_and_look(scope: TenantScope, database: Database, vault: Vault) -> Taken:
    """Take what was sold since the last time and look for missing numbers on the days touched."""
    taken = await take_sales(scope, database, vault)
    async with begin(scope, database) as session:
        days = await days_to_look_at(session, scope.tenant_id, taken.days)
        # What explains a gap may be no sale: a ticket that was held and is given up, for instance.
        days = sorted({*days, *await days_with_gaps(session, scope.tenant_id)})
    for place, day in days:
        # A transaction for each, so that a large catch-up holds no locks for long.
        async with begin(scope, database) as session:
            rules = await read_rules(session, scope)
            await look_for_gaps(session, scope, place, day, rules)
    return taken


async def close_day(  # noqa: PLR0913, PLR0917 - one for each thing said at a close
    scope: TenantScope,
    database: Database,
    vault: Vault,
    place: str,
    day: date,
    declared: Declared | None = None,
    reason: str = "",
) -> ClosedDay:
    """Close a day, audit it and, when nothing is off or `reason` accepts what is, book it.

    Closing again books only what came since; closing twice at once books it once. Without
    `declared` what was declared at an earlier close counts. Raises NotFound and Conflict.
    """
    await take_and_look(scope, database, vault)
    sealing = await vault.current(scope.tenant_id)
    async with begin(scope, database) as session:
        known = await lock_day(session, scope.tenant_id, place, day)
        said = declared if declared is not None else _declared(known.declared)
        rules = await read_rules(session, scope)
        gaps = tuple(await look_for_gaps(session, scope, place, day, rules, said))
        sums = await read_day_sums(session, scope.tenant_id, place, day)
        main = _main(sums)
        looked_at = Day(main, gaps, said, rules.audit)
        findings = tuple(audit(looked_at))
        known = await lock_day(session, scope.tenant_id, place, day)
        detail = Said(scope.actor, reason, _told(said))
        closed = await move_day(session, scope.tenant_id, known, "close", detail)
        counted = over_shorts(main, said)
        await _tell_over_short(session, scope, closed, counted, main, rules.audit)
        journals: list[Journal] = []
        if reason or not any(finding.severity == "error" for finding in findings):
            closed = await move_day(session, scope.tenant_id, closed, "audit")
            wanted = _over_short_by_currency(main, counted)
            journals = await _book(session, scope, closed, sums, wanted, Books(rules, sealing))
            closed = await move_day(session, scope.tenant_id, closed, "post")
        await record(
            session,
            "store_days.close_day",
            f"store_day:{place}/{day}",
            {"state": closed.state, "reason": reason, "gaps": len(gaps), "journals": len(journals)},
        )
    return ClosedDay(
        closed,
        tuple(each.totals for each in sums.values()),
        gaps,
        counted,
        findings,
        completeness(looked_at),
        tuple(journals),
    )


async def _book(
    session: Session,
    scope: TenantScope,
    day: StoreDay,
    sums: Mapping[str, DaySums],
    over_short: Mapping[str, Balances],
    books: Books,
) -> list[Journal]:
    """Write the next revisions of the day's journals, also in currencies that came to nothing."""
    journals = []
    kinds: dict[JournalKind, Mapping[str, Balances]] = {
        "sales_day": {currency: each.balances for currency, each in sums.items()},
        "over_short": over_short,
    }
    place, business_day = day.place, day.business_day
    evidence = await read_evidence(session, scope.tenant_id, place, business_day)
    for kind, by_currency in kinds.items():
        earlier = await booked_currencies(session, scope.tenant_id, kind, place, business_day)
        for currency in sorted({*by_currency, *earlier}):
            key = JournalKey(kind, place, business_day, currency)
            wanted = Wanted(by_currency.get(currency, {}), *evidence)
            made = await post_revision(session, scope, key, wanted, books)
            journals += [made] if made is not None else []
    return journals


async def _tell_over_short(
    session: Session,
    scope: TenantScope,
    day: StoreDay,
    counted: tuple[OverShort, ...],
    totals: DayTotals,
    rules: Audit,
) -> None:
    """Tell each tender that is over or short by more than may be, with the money."""
    seen = [
        Seen(
            OVER_SHORT,
            f"{day.place}/{day.business_day}/{each.tender}",
            f"{each.tender} of {day.place} is {abs(each.difference)} {totals.currency}"
            f" {'over' if each.difference > 0 else 'short'}: counted {each.counted}, tickets"
            f" {each.computed}. Have the drawer counted again; it is booked as over and short.",
            place=day.place,
            day=day.business_day,
            amount=each.difference,
            currency=totals.currency,
        )
        for each in counted
        if each.is_beyond(rules)
    ]
    await see_breaks(session, scope.tenant_id, seen)
    await close_others(
        session, scope.tenant_id, OVER_SHORT, day.place, day.business_day,
        still=[each.key for each in seen], resolution="It was counted again.",
    )  # fmt: skip


def _over_short_by_currency(
    totals: DayTotals, counted: tuple[OverShort, ...]
) -> dict[str, Balances]:
    balances = over_short_balances(counted)
    return {totals.currency: balances} if balances else {}


def _main(sums: Mapping[str, DaySums]) -> DayTotals:
    """Give the totals of the currency with the most tickets: the one that drawers are counted in."""
    if not sums:
        return DayTotals(currency="")
    return max((each.totals for each in sums.values()), key=lambda totals: totals.tickets)


def _told(declared: Declared) -> dict[str, Any]:
    return {
        "counted": {name: str(amount) for name, amount in declared.counted.items()},
        "report_total": None if declared.report_total is None else str(declared.report_total),
        "last_numbers": dict(declared.last_numbers),
    }


def _declared(told: Mapping[str, Any]) -> Declared:
    total = told.get("report_total")
    return Declared(
        {name: Decimal(amount) for name, amount in told.get("counted", {}).items()},
        None if total is None else Decimal(total),
        dict(told.get("last_numbers", {})),
    )
