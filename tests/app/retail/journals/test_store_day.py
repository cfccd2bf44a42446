"""The states of a store day, its audit, and tellings of one document in any order."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retail.journals.audit import (
    Day,
    DayTotals,
    Declared,
    audit,
    completeness,
    over_short_balances,
    over_shorts,
)
from app.retail.journals.facts import Fact, order_facts
from app.retail.journals.fold import Balances, added, difference, fold
from app.retail.journals.gaps import Gap
from app.retail.journals.records import SaleRecord, Source, place_of, sale_record, suspect_clock
from app.retail.journals.rules import Audit, PostingRules
from app.retail.journals.states import (
    ACTS,
    MOVES,
    STATES,
    DayAct,
    DayState,
    IllegalMove,
    after,
    before,
)
from app.retail.journals.tellings import Telling, contributions
from app.retail.journals.totals import sum_up
from connectors.canonical.business_day import TradingDay
from connectors.canonical.event import ORDER_CANCELLED, ORDER_PLACED, TILL_SALE, Event
from connectors.canonical.order import Order
from tests.app.retail.journals.tickets import AT, DAY, D, event_id, line, orders, ticket

NEW_YORK = TradingDay("America/New_York")
SOURCE = Source(event_id(9), "tills", NEW_YORK)
PLAIN = PostingRules()


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", STATES)
def test_a_day_moves_as_the_table_says_and_never_else(state: DayState, act: DayAct) -> None:
    wanted = MOVES.get((state, act))
    if wanted is None and act != "expect":
        with pytest.raises(IllegalMove):
            after(state, act)
        assert state not in before(act)
    elif wanted is not None:
        assert after(state, act) == wanted


def test_a_ticket_after_the_close_opens_the_day_again_whatever_it_was() -> None:
    """E-F19."""
    closed: tuple[DayState, ...] = ("closed", "audited", "posted")
    late = {state: after(state, "ticket") for state in closed}

    assert set(late.values()) == {"re_opened"}


def test_every_state_but_the_first_is_reached() -> None:
    assert set(MOVES.values()) == set(STATES) - {"expected"}


def day(
    totals: DayTotals | None = None,
    declared: Declared | None = None,
    gaps: tuple[Gap, ...] = (),
) -> Day:
    return Day(totals or DayTotals("USD"), gaps, declared or Declared(), Audit())


def test_money_over_and_short_is_told_per_tender_and_booked_in_full() -> None:
    """E-F21. Cash 20.01 short is beyond the limit, a card 1.00 over is not; both are booked."""
    totals = DayTotals("USD", tenders={"cash": D("1000.00"), "card": D("500.00")})
    declared = Declared({"cash": D("979.99"), "card": D("501.00")})

    found = over_shorts(totals, declared)
    findings = audit(day(totals, declared))

    assert [(each.tender, each.difference) for each in found] == [
        ("card", D("1.00")), ("cash", D("-20.01")),
    ]  # fmt: skip
    assert [each.words for each in findings] == [
        "cash: 20.01 USD short (counted 979.99, tickets 1000.00)."
    ]
    assert over_short_balances(found) == {
        ("tender_clearing", "card"): D("1.00"),
        ("over_short", "card"): D("-1.00"),
        ("over_short", "cash"): D("20.01"),
        ("tender_clearing", "cash"): D("-20.01"),
    }


def test_the_limit_is_five_or_one_in_a_thousand_whichever_is_more() -> None:
    large = DayTotals("USD", tenders={"card": D("100000.00")})

    assert audit(day(large, Declared({"card": D("100100.00")}))) == []
    assert len(audit(day(large, Declared({"card": D("100100.01")})))) == 1


def test_a_tills_report_must_agree_to_the_cent() -> None:
    found = audit(day(DayTotals("USD", gross=D("10.00")), Declared(report_total=D("10.01"))))

    assert [each.words for each in found] == [
        "The tills' report says 10.01 USD, the tickets say 10.00: a difference of 0.01."
    ]


def test_completeness_is_one_sentence() -> None:
    totals = DayTotals("USD", tickets=13_998, gross=D("412003.55"))
    gaps = (
        Gap("1", "", 7, 7, "held"),
        Gap("2", "", 9, 9, "missing"),
        Gap("3", "", 5, 999, "missing"),
    )

    assert completeness(day(totals)) == (
        "Complete: 13,998 tickets, 412,003.55 USD; no number of any till is missing."
    )
    assert completeness(day(totals, gaps=gaps)) == (
        "Not complete: 13,998 tickets, 412,003.55 USD; 1 ticket never came, 1 ticket waits for a"
        " decision, 1 till jumped in its numbers."
    )


def record(order: Order, type_: str = TILL_SALE, number: int = 1, *, rules: PostingRules = PLAIN,
           source: Source = SOURCE) -> SaleRecord:  # fmt: skip
    event = Event(
        type=type_, key="k", object_id=order.order_id, label="x", occurred_at=order.placed_at,
        body=order,
    )  # fmt: skip
    made = sale_record(event_id(number), event, 0, source, rules)
    assert made is not None
    return made


def telling(told: SaleRecord) -> Telling:
    return Telling(
        told.document, told.kind, told.event_id, told.place, told.channel, told.business_day,
        told.currency, told.told_at, told.version, told.revision, told.facts, told.lines,
        told.unmapped_lines, told.is_clock_suspect,
    )  # fmt: skip


@given(st.lists(orders(), max_size=8), st.randoms(use_true_random=False))
def test_tellings_in_any_order_and_repeated_make_the_same_journal(
    told: list[Order], chance: random.Random
) -> None:
    """L12. Whatever arrives when: the sum of what all tellings add is the last telling of each."""
    made = {
        (each.document, each.telling()): each
        for each in (record(order, ORDER_PLACED, n) for n, order in enumerate(told))
    }
    kept = [telling(each) for each in made.values()]
    mixed = [*kept]
    chance.shuffle(mixed)

    sums = {name: each.balances for name, each in sum_up(contributions(mixed)).items()}

    assert sums == {name: each.balances for name, each in sum_up(contributions(kept)).items()}
    last: dict[str, Telling] = {}
    for each in sorted(kept, key=lambda one: (one.told_at, one.version, str(one.event_id))):
        last[each.document] = each
    for currency in {each.currency for each in kept}:
        standing = [fold(each.facts) for each in last.values() if each.currency == currency]
        assert sums.get(currency, {}) == added(standing)


def test_an_order_changed_on_another_day_adds_its_difference_there() -> None:
    first = ticket(line("20.00"), kind="web", business_day=None)
    changed = ticket(line("15.00"), kind="web", business_day=None, placed_at=AT + timedelta(days=1))

    parts = list(contributions([telling(record(each, ORDER_PLACED)) for each in (changed, first)]))

    assert [(part.telling.business_day, fold(part.facts)[("revenue", "")]) for part in parts] == [
        (DAY, D("-20.00")),
        (DAY + timedelta(days=1), D("5.00")),
    ]


def test_an_unpaid_order_that_is_cancelled_leaves_nothing_and_a_paid_one_waits_for_its_refund() -> (
    None
):
    unpaid = ticket(line("20.00"), kind="web", tenders=())
    paid = ticket(line("20.00"), kind="web")

    assert record(unpaid, ORDER_CANCELLED).facts == ()
    assert record(paid, ORDER_CANCELLED).facts == order_facts(paid, PLAIN)


def test_a_store_that_trades_past_midnight_sells_on_the_day_before() -> None:
    """E-F22. 2:30 in the morning in New York is before the cut at 4:00."""
    night = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
    trading = PLAIN.trading_day("America/New_York")
    sold = ticket(line("1.00"), kind="web", business_day=None, placed_at=night)

    assert (
        record(sold, ORDER_PLACED, source=Source(event_id(9), "web", trading)).business_day == DAY
    )


def test_a_tills_own_business_day_wins_over_any_clock() -> None:
    """E-F24. The till's clock says 2019; its business day counts, and the clock is suspect."""
    wrong = ticket(line("1.00"), placed_at=datetime(2019, 1, 1, tzinfo=UTC))

    found = record(wrong)

    assert (found.business_day, found.is_clock_suspect) == (DAY, True)
    assert not suspect_clock(AT + timedelta(hours=14), DAY, NEW_YORK, 24)


@pytest.mark.parametrize(("day_of", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25)])
def test_every_minute_of_a_day_of_23_or_25_hours_is_booked_once(day_of: date, hours: int) -> None:
    midnight = datetime(day_of.year, day_of.month, day_of.day, 5 if hours == 23 else 4, tzinfo=UTC)
    sold = [
        record(
            ticket(line("1.00"), kind="web", business_day=None, order_id=str(minute),
                   placed_at=midnight + timedelta(minutes=minute)),
            ORDER_PLACED, minute + 1_000,
        )
        for minute in range(-60, hours * 60 + 60)
    ]  # fmt: skip

    on_day = [each for each in sold if each.business_day == day_of]

    assert len(on_day) == hours * 60
    assert len({each.business_day for each in sold}) == 3


def test_two_systems_that_number_their_stores_alike_are_kept_apart() -> None:
    """E-F26. A chain that was bought has a store 12 too."""
    rules = PostingRules(places={"bought/12": "B12"})

    assert place_of("12", "1", "tills", rules) == ("12", "1")
    assert place_of("12", "1", "bought", rules) == ("B12", "1")
    by_channel = PostingRules(grouping="channel_day")
    assert place_of("12", "1", "tills", by_channel) == ("tills", "12/1")


def test_1000_random_days_with_late_tickets_sum_up_to_their_sale_records() -> None:
    """E-F19. Tickets come late in any order; each close books the difference, and all is booked."""
    chance = random.Random(20261127)  # noqa: S311 - repeatable, nothing to guess
    for _ in range(1_000):
        amounts = [
            D(chance.randint(-9_999, 99_999)).scaleb(-2) for _ in range(chance.randint(1, 9))
        ]
        facts = [order_facts(ticket(line(str(amount))), PLAIN) for amount in amounts]
        revisions: list[Balances] = []
        known: list[Fact] = []
        for told in facts:
            known += told
            if chance.random() < 0.5 or told is facts[-1]:
                revisions.append(difference(fold(known), added(revisions)))

        assert added(revisions) == fold([fact for told in facts for fact in told])
        assert all(sum(each.values(), Decimal(0)) == 0 for each in revisions)
