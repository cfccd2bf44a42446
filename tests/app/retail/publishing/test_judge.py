"""What each answer means for an article and its channel, and who is next; without any channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retail.publishing.judge import Ack, judge, judge_answer
from app.retail.publishing.lineup import Lineup
from app.retail.publishing.steps import Known, next_step
from app.retail.publishing.take import Taken
from app.retail.publishing.waiting import Waiting
from connectors.sdk.outcome import (
    AuthorizationLost,
    Delivered,
    Duplicate,
    Found,
    Missing,
    NotYet,
    Outcome,
    Rejected,
    RetryLater,
    Unclear,
    Unknown,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KNOWN = Known(
    sku="A",
    target=3,
    target_at=NOON,
    seq=7,
    occurred_at=NOON,
    unit_price=None,
    currency=None,
    shown=8,
    sold=0,
    sold_at=None,
    open_value=None,
    open_seq=6,
    open_at=None,
    tries=0,
    code="",
    location="main",
    is_frozen=False,
)
TAKEN = Taken(KNOWN, "send", NOON)
OPEN = replace(TAKEN, known=replace(KNOWN, open_value=5, open_at=NOON))

CASES: tuple[tuple[Outcome, Ack], ...] = (
    (Delivered(), Ack(TAKEN, shown=3)),
    (Duplicate(), Ack(TAKEN, shown=3)),
    (
        RetryLater("target.throttled", "Slow.", 4.0, 429),
        Ack(TAKEN, tries=1, wait_s=4.0, code="target.throttled", words="Slow."),
    ),
    (
        RetryLater("target.unavailable", "Down.", None, 503),
        Ack(TAKEN, tries=1, wait_s=0.0, code="target.unavailable", words="Down."),
    ),
    # It moved there: what the connector would wait is not waited, the value is read again.
    (
        RetryLater("stock.changed_meanwhile", "Moves.", 2.0, 200),
        Ack(TAKEN, tries=1, wait_s=0.0, code="stock.changed_meanwhile", words="Moves."),
    ),
    (
        RetryLater("pace.exhausted", "Later.", 0.4),
        Ack(TAKEN, tries=0, code="pace.exhausted", words="Later.", rest_s=0.4),
    ),
    (
        RetryLater("breaker.open", "Away."),
        Ack(TAKEN, tries=0, code="breaker.open", words="Away.", rest_s=2.0),
    ),
    (
        Rejected("sku.unknown", "/sku", "No such article."),
        Ack(TAKEN, is_refused=True, code="sku.unknown", words="No such article."),
    ),
    (
        NotYet("", "First the other."),
        Ack(TAKEN, wait_s=60.0, code="target.not_yet", words="First the other."),
    ),
    (
        AuthorizationLost("Gone.", 401),
        Ack(TAKEN, code="target.authorization_lost", words="Gone.", rest_s=15.0),
    ),
    (
        Unknown("Silence."),
        Ack(TAKEN, is_open=True, tries=1, wait_s=2.0, code="outcome.unknown", words="Silence."),
    ),
)


@pytest.mark.parametrize(("outcome", "ack"), CASES, ids=lambda each: type(each).__name__)
def test_every_outcome_has_its_meaning(outcome: Outcome, ack: Ack) -> None:
    assert judge(TAKEN, outcome) == ack


@pytest.mark.parametrize(
    ("tries", "wait_s"), [(0, 0.0), (1, 0.0), (2, 0.25), (3, 0.5), (4, 1.0), (5, 2.0), (90, 2.0)]
)
def test_a_moving_quantity_is_tried_three_times_at_once_and_then_backs_off(
    tries: int, wait_s: float
) -> None:
    """E-I11. At most three attempts follow at once, then 250 ms to 2 s."""
    taken = replace(TAKEN, known=replace(KNOWN, tries=tries))

    assert judge(taken, RetryLater("stock.changed_meanwhile", "Moves.", 2.0)).wait_s == wait_s


def test_an_open_question_stays_open_until_something_answers_it() -> None:
    assert judge(OPEN, RetryLater("breaker.open", "Away.")).is_open
    assert judge(OPEN, RetryLater("target.throttled", "Slow.")).is_open
    assert not judge(OPEN, Delivered()).is_open
    assert judge_answer(OPEN, Found("x")).shown == 5
    assert judge_answer(OPEN, Missing()) == Ack(OPEN)
    assert judge_answer(OPEN, Unclear("Silence.")).is_open


@pytest.mark.parametrize(
    ("known", "can_ask", "step"),
    [
        (KNOWN, True, "send"),
        (replace(KNOWN, shown=3), False, "settle"),
        (replace(KNOWN, shown=8, sold=5), False, "settle"),
        (replace(KNOWN, shown=3, sold=1), False, "send"),
        (replace(KNOWN, shown=None, target=0), False, "send"),
        (replace(KNOWN, is_frozen=True), False, "freeze"),
        (OPEN.known, True, "ask"),
        # What it shows may be anything: it is told even what the book believes that it shows.
        (replace(OPEN.known, shown=3), False, "send"),
        (replace(OPEN.known, is_frozen=True), True, "ask"),
    ],
)
def test_what_is_done_follows_from_what_is_known(known: Known, can_ask: bool, step: str) -> None:
    assert next_step(known, can_ask=can_ask) == step


@given(
    st.lists(
        st.tuples(st.sampled_from("ABCDEFGH"), st.integers(0, 40), st.integers(0, 60)), max_size=60
    )
)
def test_each_article_leaves_the_line_once_and_the_riskiest_first(
    told: list[tuple[str, int, int]],
) -> None:
    line, latest = Lineup(), {}
    for sku, target, seen in told:
        waiting = latest[sku] = Waiting(sku, target, seen)
        line.put(waiting)
    assert len(line) == len(latest)

    left = [latest[sku] for sku in iter(line.take, None)]

    assert sorted(each.sku for each in left) == sorted(latest)
    assert [each.rank for each in left] == sorted(each.rank for each in left)
    assert len(line) == 0
