"""Random days of stores and of web shops, with late and changed sales, nights and changed clocks.

What all revisions of a day's journals add up to must be what its sales come to, to the cent. A till
tells its own business day; the day of an order is reckoned here by the wall clock alone.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.retail.journals.close import close_day, take_and_look
from app.retail.journals.records import SOLD
from app.retail.journals.rule_book import publish_rules
from app.retail.journals.rules import PostingRules
from infra.database.unit import begin
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import open_scene
from tests.benchmarks.prepared import until_prepared
from tests.chaos.world import World
from tests.stage import Retailer, Stage, open_stage

ZONE = ZoneInfo("America/New_York")
CUT_H = 4
# 2026: the clock goes forward on 8 March and back on 1 November.
FIRST_DAYS = (date(2026, 2, 26), date(2026, 10, 22))
DAYS_EACH = 20
TICKETS_A_DAY = 8
ROUNDS = 3
CHANGED_ONE_IN = 6
ACCEPTED_AT_ONCE = 500
TILLS = "tills"
D = Decimal
StoreDay = tuple[str, date]


@dataclass(frozen=True, slots=True)
class Sold:
    """One telling of one ticket or order; `place` is a store or the name of a shop's connection."""

    number: int
    version: int
    place: str
    is_order: bool
    at: datetime
    told_at: datetime
    goods: Decimal
    tax: Decimal
    tender: str

    @property
    def day(self) -> date:
        """Give the business day by the wall clock: what is told before the cut is of the day before.

        A ticket is of the day on which it was sold, what changes an order of the day of the change.
        """
        local = (self.told_at if self.is_order else self.at).astimezone(ZONE)
        return local.date() - timedelta(days=local.hour < CUT_H)


async def measure_revisions(world: World, days: int) -> list[Figure]:
    """Tell, close and tell again; fails when a day is off by a cent."""
    chance = random.Random(20261127)  # noqa: S311 - repeatable, nothing to guess
    tellings = _tellings(chance, days)
    async with (
        open_scene(world, f"revisions_{days}") as scene,
        open_stage(scene.database) as stage,
    ):
        shops = sorted({each.place for each in tellings if each.is_order})
        retailer = await _open_shop(stage, shops)
        started_s = time.monotonic()
        closes = 0
        for part in _parts(chance, tellings):
            await _tell(stage, retailer, part)
            for place, day in await _not_posted(stage, retailer):
                await close_day(
                    retailer.scope, stage.database, stage.vault, place, day, reason="Random."
                )
                closes += 1
        took_s = time.monotonic() - started_s
        booked, revisions = await _booked(stage, retailer)
    wanted = _wanted(tellings)
    exact = sum(booked.get(key) == amounts for key, amounts in wanted.items())
    assert booked == wanted, "a day's revisions are not what its tickets come to"
    night = sum(each.told_at.astimezone(ZONE).hour < CUT_H for each in tellings)
    return [
        Figure("revisions.days_exact", exact, f"of {len(wanted):,} days"),
        Figure("revisions.tellings", len(tellings), f"sales and changes, {night} at night"),
        Figure("revisions.revisions", revisions, f"of {closes} closes, each only a difference"),
        Figure("revisions.took_s", took_s, "s"),
    ]


def _tellings(chance: random.Random, days: int) -> list[Sold]:
    places = max(2, days // (DAYS_EACH * len(FIRST_DAYS)))
    found: list[Sold] = []
    for place in range(places):
        for first in FIRST_DAYS:
            for ahead in range(DAYS_EACH):
                opens = datetime.combine(first + timedelta(days=ahead), datetime.min.time(), ZONE)
                begin_at = opens.astimezone(UTC) + timedelta(hours=CUT_H)
                for _ in range(TICKETS_A_DAY):
                    at = begin_at + timedelta(seconds=chance.randrange(24 * 3600))
                    found += _sale(chance, len(found), place, at)
    return found


def _sale(chance: random.Random, number: int, place: int, at: datetime) -> list[Sold]:
    """Sell one ticket (even places) or order (odd ones), and tell some orders again, changed.

    A ticket is told once for all: with other content it would wait for a person.
    """
    told, told_at, is_order = [], at, place % 2 == 1
    is_changed = is_order and chance.randrange(CHANGED_ONE_IN) == 0
    for version in range(1, 3 if is_changed else 2):
        goods = D(chance.randint(-4_000, 20_000)).scaleb(-2)
        tax = (goods * D("0.0825")).quantize(D("0.01"))
        tender = chance.choice(["cash", "card", "wallet"])
        name = f"web-{place}" if is_order else str(place)
        told.append(Sold(number, version, name, is_order, at, told_at, goods, tax, tender))
        told_at += timedelta(minutes=chance.randint(1, 40 * 60))
    return told


def _parts(chance: random.Random, tellings: list[Sold]) -> list[list[Sold]]:
    """Deal what is told over the rounds, in any order: much comes after its day was closed."""
    parts: list[list[Sold]] = [[] for _ in range(ROUNDS)]
    for each in tellings:
        parts[chance.randrange(ROUNDS)].append(each)
    for part in parts:
        chance.shuffle(part)
    return [part for part in parts if part]


async def _open_shop(stage: Stage, shops: list[str]) -> Retailer:
    retailer = await stage.retailer()
    await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
    for name in (TILLS, *shops):
        await stage.connect(retailer, name, "http")
        await stage.flow(retailer, name, "target", types=SOLD)
    await stage.write(retailer, "update flow set is_paused = true")
    rules = PostingRules(timezone=str(ZONE))
    await publish_rules(retailer.scope, stage.database, stage.vault, rules)
    return retailer


async def _tell(stage: Stage, retailer: Retailer, part: list[Sold]) -> None:
    by_source: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in part:
        by_source[each.place if each.is_order else TILLS].append(_event(each))
    for source, events in by_source.items():
        for start in range(0, len(events), ACCEPTED_AT_ONCE):
            await stage.accept(retailer, source, *events[start : start + ACCEPTED_AT_ONCE])
    await until_prepared(stage, retailer)


async def _not_posted(stage: Stage, retailer: Retailer) -> list[StoreDay]:
    await take_and_look(retailer.scope, stage.database, stage.vault)
    rows = await stage.rows(
        retailer,
        "select place, business_day from store_day where state <> 'posted' order by 1, 2",
    )
    return [(row["place"], row["business_day"]) for row in rows]


def _event(each: Sold) -> dict[str, Any]:
    total, name = str(each.goods + each.tax), f"t-{each.number}"
    line = {
        "line_id": "1", "sku": "SKU-001", "title": "Scarf",
        "quantity": "-1" if each.goods < 0 else "1", "unit_price": str(abs(each.goods)),
        "net": str(each.goods), "gross": total, "taxes": [{"name": "State", "amount": str(each.tax)}],
    }  # fmt: skip
    sale: dict[str, Any] = {
        "order_id": name, "number": name, "kind": "web" if each.is_order else "pos",
        "currency": "USD", "placed_at": each.at.isoformat(), "total": total, "lines": [line],
        "tenders": [{"kind": each.tender, "name": each.tender, "amount": total}],
    }  # fmt: skip
    if not each.is_order:
        till = {"store": each.place, "workstation": "1", "sequence": f"N{each.number}"}
        sale |= {**till, "business_day": each.day.isoformat()}
    head = {"specversion": "1.0", "source": "source", "time": each.told_at.isoformat()}
    version = {"id": f"{name}-{each.version}", "objectversion": str(each.version)}
    return {**head, **version, "type": _type_of(each), "data": sale}


def _type_of(each: Sold) -> str:
    if not each.is_order:
        return "retail.till.sale.v1"
    return "retail.order.placed.v1" if each.version == 1 else "retail.order.changed.v1"


def _wanted(tellings: list[Sold]) -> dict[StoreDay, dict[str, Decimal]]:
    """Reckon each day from what was told: the last word on a ticket, each change of an order."""
    days: dict[StoreDay, dict[str, Decimal]] = {}
    before: dict[int, Sold] = {}
    for each in sorted(tellings, key=lambda one: (one.number, one.version)):
        known = before.get(each.number)
        if known is not None:
            _add(days, (each.place, each.day), known, -1)
        _add(days, (each.place, each.day), each, 1)
        before[each.number] = each
    return {key: kept for key, sums in days.items() if (kept := _kept(sums))}


def _add(days: dict[StoreDay, dict[str, Decimal]], day: StoreDay, each: Sold, sign: int) -> None:
    sums = days.setdefault(day, defaultdict(Decimal))
    sums["returns" if each.goods < 0 else "revenue"] -= sign * each.goods
    sums["tax_payable"] -= sign * each.tax
    sums[f"tender_clearing/{each.tender}"] += sign * (each.goods + each.tax)


async def _booked(
    stage: Stage, retailer: Retailer
) -> tuple[dict[StoreDay, dict[str, Decimal]], int]:
    """Add up what stands in the journals, line by line, as the book has it."""
    async with begin(retailer.scope, stage.database) as session:
        rows = await session.fetch(
            "select j.place, j.business_day, l.role, l.detail, l.debit - l.credit as amount"
            " from journal j join journal_line l"
            " on l.tenant_id = j.tenant_id and l.journal_id = j.id where j.tenant_id = $1",
            retailer.tenant_id,
        )
        count = await session.fetch_value("select count(*) from journal")
    days: dict[StoreDay, dict[str, Decimal]] = {}
    for row in rows:
        sums = days.setdefault((row["place"], row["business_day"]), defaultdict(Decimal))
        is_tender = row["role"] == "tender_clearing"
        sums[f"{row['role']}/{row['detail']}" if is_tender else row["role"]] += row["amount"]
    return {key: kept for key, sums in days.items() if (kept := _kept(sums))}, int(count)


def _kept(sums: dict[str, Decimal]) -> dict[str, Decimal]:
    return {name: amount for name, amount in sums.items() if amount}
