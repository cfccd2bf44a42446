"""What happens after each kind of answer: every row of the table, and every forbidden move."""

from __future__ import annotations

import random
from importlib import import_module
from itertools import product
from typing import get_args

import pytest

from app.deliveries.backoff import SCHEDULE_S, next_try_s
from app.deliveries.decide import Attempted, decide
from app.deliveries.policy import policy_of
from app.deliveries.states import FINAL, MOVES, OPEN, State, may_move
from app.flows.routes import Ordering
from connectors.sdk.manifest import KeyStyle
from connectors.sdk.outcome import (
    AuthorizationLost,
    Delivered,
    Duplicate,
    NotYet,
    Outcome,
    Rejected,
    RetryLater,
    Unknown,
)

STATES: tuple[State, ...] = get_args(State)
MISSING = "connection.credentials_missing"
FIRST = Attempted(attempt=1, keys="native", age_s=1)


def seeded() -> random.Random:
    """Give a repeatable source of jitter."""
    return random.Random(7)  # noqa: S311 - repeatable, not secret


@pytest.mark.parametrize(
    ("outcome", "tried", "state", "code", "burns"),
    [
        (Delivered("SO1"), FIRST, "delivered", "", True),
        (Duplicate("SO1"), FIRST, "delivered", "", True),
        (RetryLater("target.busy", "Busy."), FIRST, "waiting", "target.busy", True),
        (RetryLater("pace.exhausted", "Pace."), FIRST, "waiting", "pace.exhausted", False),
        (RetryLater(MISSING, "None."), Attempted(13, "native", 1), "waiting", MISSING, False),
        (Rejected("order.tax", "/tax", "No tax."), FIRST, "held", "order.tax", True),
        (NotYet("order", "First the order."), FIRST, "waiting", "target.not_yet", False),
        (AuthorizationLost("No."), FIRST, "waiting", "target.authorization_lost", False),
        (Unknown("Lost."), FIRST, "waiting", "target.answer_lost", True),
        (Unknown("Lost."), Attempted(1, "lookup", 1), "checking", "target.answer_lost", True),
        (RetryLater("x.y", "z"), Attempted(13, "native", 1), "held", "retries.exhausted", True),
        (Unknown("Lost."), Attempted(13, "lookup", 1), "held", "outcome.unknown", True),
        (Unknown("Lost."), Attempted(1, "none", 1), "held", "outcome.unknown", True),
        (
            NotYet("order", "w"),
            Attempted(2, "native", 90_000),
            "held",
            "target.predecessor_missing",
            True,
        ),
    ],
)
def test_each_answer_leads_to_its_state(
    outcome: Outcome, tried: Attempted, state: State, code: str, burns: bool
) -> None:
    decision = decide(outcome, tried, rng=seeded())

    assert (decision.state, decision.code, decision.burns) == (state, code, burns)
    assert may_move("delivering", decision.state)


@pytest.mark.parametrize(
    ("keys", "ordering", "state"),
    [
        ("native", "strict", "waiting"),
        ("native", "latest_wins", "waiting"),
        ("native", "none", "waiting"),
        ("external_ref", "strict", "waiting"),
        ("external_ref", "latest_wins", "waiting"),
        ("external_ref", "none", "waiting"),
        ("lookup", "strict", "checking"),
        ("lookup", "latest_wins", "checking"),
        ("lookup", "none", "checking"),
        ("none", "strict", "held"),
        ("none", "latest_wins", "waiting"),
        ("none", "none", "held"),
    ],
)
def test_after_a_lost_answer_nothing_is_sent_again_that_could_be_done_twice(
    keys: KeyStyle, ordering: Ordering, state: State
) -> None:
    tried = Attempted(1, keys, 1, ordering=ordering)

    decision = decide(Unknown("Lost."), tried, rng=seeded())

    assert (decision.state, decision.error_class) == (state, "unknown")


def test_what_must_come_first_is_named_for_its_source_and_not_as_a_field() -> None:
    decision = decide(NotYet("1001", "First the order."), FIRST, rng=seeded())

    assert (decision.missing, decision.pointer) == ("1001", "")
    assert (decision.wait_s, decision.error_class) == (60.0, "dependency")


def test_an_order_in_trouble_is_tried_far_more_often_than_a_catalogue() -> None:
    def tries(flow_class: int) -> int:
        answer = RetryLater("target.unavailable", "Down.")
        return next(
            number
            for number in range(1, 100)
            if decide(answer, Attempted(number, "native", 1, "", flow_class), rng=seeded()).state
            == "held"
        )

    assert {flow_class: tries(flow_class) for flow_class in range(4)} == {0: 45, 1: 45, 2: 13, 3: 9}


@pytest.mark.parametrize(
    "outcome", [RetryLater("x.y", "z"), Rejected("x.y", "/z", "z"), Unknown("z"), NotYet("1", "z")]
)
def test_every_decision_carries_the_class_of_its_answer(outcome: Outcome) -> None:
    for attempt in (1, 100):
        tried = Attempted(attempt, "native", attempt * 1000)
        assert decide(outcome, tried, rng=seeded()).error_class == policy_of(outcome).error_class


def test_a_rejected_record_names_its_field_and_waits_for_a_person() -> None:
    decision = decide(Rejected("order.tax", "/lines/0/tax", "No tax line."), FIRST, rng=seeded())

    assert (decision.state, decision.pointer, decision.words) == (
        "held",
        "/lines/0/tax",
        "No tax line.",
    )


@pytest.mark.parametrize("attempt", range(1, len(SCHEDULE_S) + 1))
def test_each_retry_comes_within_a_fifth_of_its_schedule(attempt: int) -> None:
    wait_s = next_try_s(attempt, None, rng=seeded())

    assert wait_s is not None
    assert 0.8 * SCHEDULE_S[attempt - 1] <= wait_s <= 1.2 * SCHEDULE_S[attempt - 1]


@pytest.mark.parametrize(
    ("wish_s", "expected_s"), [(-1, 4.0), (0, 4.0), (90, 90), (1e9, 3600), (3600, 3600)]
)
def test_the_targets_own_wish_counts_between_a_second_and_an_hour(
    wish_s: float, expected_s: float
) -> None:
    wait_s = next_try_s(1, wish_s, rng=seeded())

    assert wait_s is not None
    assert wait_s >= expected_s
    assert wait_s <= max(expected_s, 6.0)


def test_the_schedule_lasts_longer_than_three_days_and_then_holds() -> None:
    assert sum(SCHEDULE_S) > 3 * 86_400
    assert next_try_s(len(SCHEDULE_S) + 1, None, rng=seeded()) is None


def test_final_states_are_left_by_nobody() -> None:
    assert {state for state in STATES if not MOVES[state]} == FINAL
    assert set(STATES) == OPEN | FINAL


@pytest.mark.parametrize(("old", "new"), list(product(STATES, STATES)))
def test_the_database_allows_exactly_the_moves_of_the_table(old: State, new: State) -> None:
    migration = import_module("infra.migrations.versions.0001_foundation")
    in_database = set(migration.DELIVERY_MOVES.get(old, "").split())

    if old != new:
        assert (new in in_database) == may_move(old, new)
