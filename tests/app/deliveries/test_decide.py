"""What happens after each kind of answer: every row of the table, and every forbidden move."""

from __future__ import annotations

import random
from importlib import import_module
from itertools import product
from typing import get_args

import pytest

from app.deliveries.backoff import SCHEDULE_S, next_try_s
from app.deliveries.decide import Attempted, decide
from app.deliveries.states import FINAL, MOVES, OPEN, State, may_move
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
