"""Incidents follow the book: grouped once, counted to the cent, closed by themselves, told once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest_asyncio

from app.exceptions.incidents.assign import Assignment, assign_incident
from app.exceptions.incidents.sync import IncidentSync
from infra import clock
from infra.database.pool import Database
from tests.app.exceptions.incidents.desk import SALE, Desk, Wanted, open_desk

REFUND = "retail.order.refunded.v1"
CHANGED = "retail.order.changed.v1"


@pytest_asyncio.fixture
async def desk(database: Database) -> Desk:
    return await open_desk(database)


async def test_an_erp_that_is_down_is_one_incident_with_its_count_and_money(desk: Desk) -> None:
    await desk.add("shop", "erp", *(Wanted(n, amount="20.10") for n in range(12)))
    await desk.breaks("erp", "open")

    await desk.look()
    await desk.look()

    incident = await desk.one()
    since = f"{incident.since_at.day} {incident.since_at:%b, %H:%M}"
    assert incident.title == f"ERP has not answered since {since}; 12 orders wait"
    assert incident.words == (
        "12 records waiting (12 orders). 241.20 USD at risk. Concerned: Web shop."
    )
    assert (incident.held, incident.waiting, incident.peak) == (0, 12, 12)
    assert incident.at_risk == {"USD": Decimal("241.20")}
    assert incident.cause is not None
    assert incident.cause["words"] == (
        "No change of ours came before. The other system stopped answering."
    )
    assert await desk.history(incident) == ["opened"]


async def test_refused_records_of_one_cause_are_one_incident(desk: Desk) -> None:
    held: dict[str, Any] = {"state": "held", "code": "sku.unknown", "error_class": "data"}
    await desk.add("shop", "erp", *(Wanted(n, pointer=f"/lines/{n}/sku", **held) for n in range(5)))
    await desk.add("shop", "erp", Wanted(7, pointer="/customer", **held))

    await desk.look()

    incidents = await desk.incidents()
    assert {each.title: each.held for each in incidents} == {
        "ERP cannot take 5 orders: the article is not known there (sku of lines)": 5,
        "ERP cannot take 1 order: the article is not known there (customer)": 1,
    }
    rows = await desk.rows("select count(*) as n from hold where incident_id is null")
    assert rows == [{"n": 0}]


async def test_one_order_in_two_deliveries_and_two_events_counts_once_with_its_last_amount(
    desk: Desk,
) -> None:
    at = clock.now() - timedelta(hours=1)
    await desk.connect("returns", "http", "Returns desk")
    await desk.add("shop", "erp", Wanted(1, "100.00", object_id="o-1", at=at))
    desk.flows["shop to erp"] = await desk.flow("shop", "erp")
    await desk.add("shop", "erp", Wanted(1, "100.00", object_id="o-1", at=at))
    later = at + timedelta(minutes=5)
    await desk.add("shop", "erp", Wanted(1, "120.00", object_id="o-1", type=CHANGED, at=later))
    # The same number from another system, and a refund with the number of an order, are others.
    await desk.add("returns", "erp", Wanted(1, "7.00", object_id="o-1", at=at))
    await desk.add("shop", "erp", Wanted(1, "30.00", object_id="o-1", type=REFUND, at=at))
    await desk.breaks("erp", "open")

    await desk.look()

    incident = await desk.one()
    assert incident.waiting == 5
    assert incident.at_risk == {"USD": Decimal("157.00")}
    assert incident.words == (
        "5 records waiting (2 orders and 1 refund). 157.00 USD at risk."
        " Concerned: Returns desk and Web shop."
    )


async def test_what_stands_behind_a_held_record_belongs_to_its_incident(desk: Desk) -> None:
    lane = "order:o-1"
    held = Wanted(1, "20.00", state="held", code="tax.differs", error_class="contract", lane=lane)
    behind = [Wanted(n, "5.00", state="ready", lane=lane, object_id=f"r-{n}") for n in (2, 3)]
    await desk.add("shop", "erp", held, *behind)
    await desk.breaks("erp", "open")
    await desk.add("shop", "erp", Wanted(9, "1.00"))

    await desk.look()

    by_class = {each.error_class: each for each in await desk.incidents()}
    assert (by_class["contract"].held, by_class["contract"].waiting) == (1, 2)
    assert by_class["contract"].at_risk == {"USD": Decimal("30.00")}
    assert (by_class["transient"].held, by_class["transient"].waiting) == (0, 1)


async def test_failed_three_times_is_an_incident_and_twice_is_not(desk: Desk) -> None:
    failing: dict[str, Any] = {"code": "target.error", "error_class": "transient"}
    await desk.add("shop", "erp", Wanted(1, attempts=2, **failing))
    await desk.look()
    before = await desk.incidents()

    await desk.add("shop", "erp", Wanted(2, attempts=3, lane="x", **failing))
    await desk.add("shop", "erp", Wanted(3, state="ready", lane="x"))
    lost = Wanted(4, attempts=3, code="target.answer_lost", error_class="unknown")
    await desk.add("shop", "erp", lost)
    await desk.look()

    assert before == []
    incident = await desk.one()
    assert (incident.error_class, incident.waiting) == ("transient", 3)


async def test_a_probe_of_a_lost_sign_in_makes_no_second_incident(desk: Desk) -> None:
    await desk.add("shop", "erp", Wanted(1))
    await desk.breaks("erp", "authorization_lost")
    await desk.look()

    await desk.breaks("erp", "half_open")
    await desk.look()

    incident = await desk.one()
    assert incident.error_class == "auth"
    assert incident.waiting == 1


async def test_a_lost_sign_in_is_told_although_nothing_waits_and_a_pause_never(desk: Desk) -> None:
    await desk.breaks("shop", "authorization_lost")
    await desk.breaks("erp", "open")
    await desk.look()
    told = [each.title.partition(" since")[0] for each in await desk.incidents()]

    await desk.breaks("erp", "open", minutes_ago=16)
    await desk.look()
    later = {each.title.partition(" since")[0] for each in await desk.incidents()}
    await desk.write("update connection set state = 'paused'")
    await desk.look()

    assert told == ["Web shop has not let us in"]
    assert later == {"Web shop has not let us in", "ERP has not answered"}
    assert {each.state for each in await desk.incidents()} == {"resolved"}


async def test_it_closes_by_itself_and_comes_back_as_the_same_row(desk: Desk) -> None:
    ids = await desk.add("shop", "erp", *(Wanted(n, state="ready") for n in range(3)))
    await desk.breaks("erp", "open")
    await desk.look()
    first = await desk.one()

    await desk.engine("update delivery set state = 'delivering' where id = any($1)", ids)
    await desk.engine("update delivery set state = 'delivered' where id = any($1)", ids)
    await desk.breaks("erp", "closed")
    await desk.look()
    ended = await desk.one()
    await desk.add("shop", "erp", Wanted(9))
    await desk.breaks("erp", "open")
    await desk.look()
    await desk.look()
    back = await desk.one()

    assert (ended.state, ended.records, ended.at_risk) == ("resolved", 0, {})
    assert ended.resolution == "Nothing is held or waiting any more."
    assert (back.id, back.state, back.waiting) == (first.id, "regressed", 1)
    assert back.since_at > first.since_at
    assert back.first_seen_at == first.first_seen_at
    assert await desk.history(back) == ["opened", "resolved", "regressed"]


async def test_a_hold_that_comes_to_a_closed_incident_reopens_it_in_the_same_round(
    desk: Desk,
) -> None:
    held: dict[str, Any] = {"state": "held", "code": "sku.unknown", "error_class": "data"}
    await desk.add("shop", "erp", Wanted(1, **held))
    await desk.look()
    await desk.write(
        "update hold set state = 'discarded', decided_at = now(), decided_by = 'person.ada'"
    )
    await desk.look()
    closed = (await desk.one()).state

    await desk.add("shop", "erp", Wanted(2, **held))
    await desk.look()

    assert closed == "resolved"
    assert (await desk.one()).state == "regressed"


async def test_new_records_inherit_who_is_on_it(desk: Desk, database: Database) -> None:
    held: dict[str, Any] = {"state": "held", "code": "sku.unknown", "error_class": "data"}
    await desk.add("shop", "erp", Wanted(1, **held), Wanted(2, **held))
    await desk.write("update hold set owner = 'Grace' where label = '#2'")
    await desk.look()
    due = clock.now() + timedelta(hours=2)

    incident = await desk.one()
    await assign_incident(desk.scope, database, incident.id, Assignment("Ada", due))
    await desk.add("shop", "erp", Wanted(3, **held))
    await desk.look()

    rows = await desk.rows("select label, owner, due_at from hold order by label")
    assert [(row["label"], row["owner"], row["due_at"]) for row in rows] == [
        ("#1", "Ada", due),
        ("#2", "Grace", None),
        ("#3", "Ada", due),
    ]


async def test_the_first_deadline_is_told_and_makes_it_graver(desk: Desk) -> None:
    now = clock.now()
    await desk.add(
        "shop",
        "erp",
        Wanted(1, "1.00", deadline_at=now + timedelta(minutes=40), at=now - timedelta(minutes=10)),
        Wanted(2, "1.00", deadline_at=now + timedelta(minutes=20), at=now - timedelta(minutes=10)),
        Wanted(3, "1.00"),
    )
    await desk.breaks("erp", "open")
    await desk.look()
    first = await desk.one()

    await desk.write(
        "update delivery set accepted_at = now() - interval '100 minutes' where seq = 2"
    )
    await desk.look()
    await desk.look()

    later = await desk.one()
    assert first.deadline_at == now + timedelta(minutes=20)
    assert (first.severity, later.severity) == (1, 3)
    assert await desk.history(later) == ["opened", "escalated"]


async def test_shops_are_stores_places_and_channels(desk: Desk) -> None:
    await desk.add(
        "shop",
        "erp",
        Wanted(1, type=SALE, key="till:14/2", class_=0),
        Wanted(2, type="retail.stock.position.v1", key="stock:main/SKU-1", amount=None, class_=1),
        Wanted(3),
    )
    await desk.breaks("erp", "open")

    await desk.look()

    incident = await desk.one()
    assert incident.shops == ("Store 14", "Web shop", "main")
    assert "1 order, 1 sale and 1 stock change" in incident.words


async def test_two_rounds_at_once_tell_everything_once(desk: Desk, database: Database) -> None:
    held: dict[str, Any] = {"state": "held", "error_class": "data"}
    await desk.add(
        "shop", "erp", *(Wanted(n, code=f"sku.kind_{'abc'[n % 3]}", **held) for n in range(90))
    )
    failing = Wanted(0, attempts=5, code="target.error", error_class="transient")
    await desk.add("shop", "erp", *(replace(failing, number=n) for n in range(100, 120)))
    rounds = [IncidentSync(database, quiet_for=timedelta(0)) for _ in range(4)]

    await asyncio.gather(*(each.go_on() for each in rounds))
    await asyncio.gather(*(each.go_on() for each in rounds))

    incidents = await desk.incidents()
    assert sorted((each.held, each.waiting) for each in incidents) == [
        (0, 20),
        (30, 0),
        (30, 0),
        (30, 0),
    ]
    for each in incidents:
        assert await desk.history(each) == ["opened"]


async def test_what_changed_nothing_writes_nothing(desk: Desk) -> None:
    await desk.add("shop", "erp", Wanted(1))
    await desk.breaks("erp", "open")
    await desk.look()
    before = await desk.rows("select xmin::text, updated_at from incident")

    for _ in range(3):
        await desk.look()

    assert await desk.rows("select xmin::text, updated_at from incident") == before


async def test_big_incidents_are_counted_less_often(desk: Desk) -> None:
    await desk.add("shop", "erp", *(Wanted(n, lane=f"lane {n}") for n in range(2_000)))
    await desk.breaks("erp", "open")
    await desk.look()

    await desk.add("shop", "erp", Wanted(2_001))
    await desk.look()
    soon = await desk.one()
    assert desk.sync is not None
    desk.sync._looked.clear()
    await desk.look()

    assert soon.waiting == 2_000
    assert (await desk.one()).waiting == 2_001


CODES = (
    ("sku.unknown", "data"),
    ("tax.differs", "contract"),
    ("retries.exhausted", "transient"),
    ("outcome.unknown", "unknown"),
    ("target.predecessor_missing", "dependency"),
)
CURRENCIES = ("USD", "EUR", "GBP")


Key = tuple[str, str]


class Expected:
    """A thousand records with known values, and what must be said of each target and class.

    Record n holds n.(n mod 100) in a currency by turns. Odd ones are held; even ones wait, which is
    trouble only where the target is down (the warehouse). Every twentieth waits in two deliveries.
    """

    def __init__(self) -> None:
        self.money: dict[Key, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        self.counts: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
        self.records: dict[Key, list[Wanted]] = defaultdict(list)
        for n in range(1, 1001):
            self._add(n, Decimal(n) + Decimal(n % 100) / 100, CURRENCIES[n % 3])

    def _add(self, n: int, amount: Decimal, currency: str) -> None:
        target, source = "wms" if n % 4 == 0 else "erp", "pos" if n % 5 == 0 else "shop"
        times = 2 if n % 20 == 0 else 1
        one = Wanted(n, str(amount), currency, object_id=f"o-{n}")
        cause = "transient" if target == "wms" else ""
        if n % 2:
            code, cause = CODES[n % len(CODES)]
            one = replace(one, state="held", code=code, error_class=cause)
        self.records[source, target] += [one] * times
        if cause:
            self.counts[target, cause][0 if one.state == "held" else 1] += times
            self.money[target, cause][currency] += amount


async def test_a_thousand_mixed_failures_agree_with_the_book_to_the_cent(desk: Desk) -> None:
    await desk.connect("wms", "http", "Warehouse")
    await desk.connect("pos", "pos_files", "Tills")
    expected = Expected()
    for (source, target), records in expected.records.items():
        await desk.add(source, target, *records)
    await desk.breaks("wms", "open")

    await desk.look()

    names = {connection_id: name for name, connection_id in desk.connections.items()}
    incidents = await desk.incidents()
    found = {(names[each.connection_id], each.error_class): each for each in incidents}
    assert {key: [each.held, each.waiting] for key, each in found.items()} == expected.counts
    assert {key: each.at_risk for key, each in found.items()} == expected.money
    await _agrees_with_the_book(desk)
    ranked = [
        sum(each.at_risk.values(), Decimal(0)) * {1: 2, 2: 4, 3: 8}[each.severity]
        for each in incidents
    ]
    assert ranked == sorted(ranked, reverse=True)
    assert len(set(ranked)) == len(incidents) == 6


async def _agrees_with_the_book(desk: Desk) -> None:
    """Count by other statements: holds as they are, and what waits at the broken connection."""
    (held,) = await desk.rows(
        "select (select count(*) from hold where state = 'open') as book,"
        " (select sum(held) from incident) as told"
    )
    (waiting,) = await desk.rows(
        "select (select count(*) from delivery d join connection_health h using (connection_id)"
        " where h.state <> 'closed' and d.state = 'waiting') as book,"
        " (select sum(waiting) from incident) as told"
    )
    assert held["book"] == held["told"] == 500
    assert waiting["book"] == waiting["told"] == 300


async def test_the_money_follows_the_order_when_it_changes(desk: Desk) -> None:
    held: dict[str, Any] = {
        "state": "held",
        "code": "sku.unknown",
        "error_class": "data",
        "object_id": "o-1",
    }
    await desk.add("shop", "erp", Wanted(1, "20.00", **held))
    await desk.look()
    before = (await desk.one()).at_risk

    await desk.add("shop", "erp", Wanted(2, "12.34", type=CHANGED, **held))
    await desk.look()

    assert before == {"USD": Decimal("20.00")}
    assert (await desk.one()).at_risk == {"USD": Decimal("12.34")}
