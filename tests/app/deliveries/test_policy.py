"""What every kind of answer means, who acts, and by which schedule it is tried again."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest

from app.deliveries.backoff import HORIZON_MAX_S, SCHEDULES, delays_s
from app.deliveries.policy import (
    BY_CLASS,
    DEFAULT_RULES,
    Policy,
    judge,
    policy_of,
    policy_of_code,
)
from connectors.registry import names
from connectors.sdk.errors import ErrorClass, ErrorRule, OutcomeName
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

DAY_S = 86_400


@pytest.mark.parametrize(
    ("outcome", "error_class", "schedule", "who"),
    [
        (Delivered("SO1", 200), "", "none", "nobody"),
        (Duplicate("SO1", 409), "duplicate", "none", "nobody"),
        (RetryLater("target.busy", "Busy."), "transient", "standard", "nobody"),
        (RetryLater("target.throttled", "Slow.", 3, 429), "rate", "standard", "nobody"),
        (RetryLater("anything.else", "?", None, 429), "rate", "standard", "nobody"),
        (RetryLater("anything.else", "?", None, 503), "transient", "standard", "nobody"),
        (RetryLater("pace.exhausted", "Pace."), "rate", "paused", "nobody"),
        (RetryLater("breaker.open", "Open."), "transient", "paused", "nobody"),
        (RetryLater("connection.credentials_missing", "None."), "auth", "owner", "retailer"),
        (RetryLater("connection.base_url_missing", "None."), "auth", "owner", "retailer"),
        (
            RetryLater("connection.host_differs", "Left."),
            "contract",
            "standard",
            "connector_maintainer",
        ),
        (RetryLater("egress.url_invalid", "Wrong."), "contract", "standard", "partner"),
        (Rejected("order.tax", "/tax", "No tax."), "data", "none", "retailer"),
        (Rejected("target.refused", "/tax", "No tax.", 422), "data", "none", "retailer"),
        (Rejected("never.heard", "", "No.", 403), "auth", "none", "retailer"),
        (Rejected("never.heard", "", "No.", 500), "transient", "none", "nobody"),
        (Rejected("target.gone", "", "Gone.", 404), "contract", "none", "partner"),
        (Rejected("settings.invalid", "", "Wrong."), "contract", "none", "partner"),
        (Rejected("connector.fault", "", "Broke."), "contract", "none", "connector_maintainer"),
        (Rejected("worker.crashed", "", "Broke."), "contract", "none", "connector_maintainer"),
        (NotYet("1001", "First the order.", 424), "dependency", "parked", "nobody"),
        (NotYet("1001", "First the order.", 500), "dependency", "parked", "nobody"),
        (AuthorizationLost("No.", 404), "auth", "owner", "retailer"),
        (Unknown("Lost.", 502), "unknown", "standard", "operator"),
    ],
)
def test_each_answer_has_its_class_its_schedule_and_who_acts(
    outcome: Outcome, error_class: str, schedule: str, who: str
) -> None:
    policy = policy_of(outcome)

    assert (policy.error_class, policy.schedule, policy.who) == (error_class, schedule, who)


@pytest.mark.parametrize(
    ("flow_class", "schedule"),
    [(0, "critical"), (1, "critical"), (2, "standard"), (3, "bulk"), (None, "standard")],
)
def test_the_class_of_the_flow_chooses_the_schedule(flow_class: int | None, schedule: str) -> None:
    for outcome in (RetryLater("target.busy", "Busy."), Unknown("Lost.")):
        assert policy_of(outcome, "", flow_class).schedule == schedule


@pytest.mark.parametrize(
    ("code", "error_class", "who"),
    [
        ("retries.exhausted", "transient", "operator"),
        ("outcome.unknown", "unknown", "operator"),
        ("target.predecessor_missing", "dependency", "operator"),
        ("record.content_changed", "duplicate", "retailer"),
        ("contract.missing_field", "contract", "partner"),
        ("pci.pan_found", "data", "retailer"),
        ("time.invalid", "data", "retailer"),
        ("time.zone_missing", "contract", "partner"),
        ("order.totals_differ", "data", "retailer"),
    ],
)
def test_each_code_of_a_hold_has_its_class(code: str, error_class: str, who: str) -> None:
    policy = policy_of_code(code)

    assert (policy.error_class, policy.who) == (error_class, who)


def test_a_connectors_own_rule_wins_over_those_for_all() -> None:
    own = [
        ErrorRule(code="target.busy", error_class="rate", schedule="long", who="partner"),
        ErrorRule(status=400, error_class="dependency", schedule="parked", horizon_h=48),
        ErrorRule(code="shop.", error_class="contract", runbook="breaker-open"),
        ErrorRule(code="shop.closed", outcome="Rejected", error_class="auth", schedule="owner"),
    ]

    assert judge(own, "RetryLater", "target.busy", 503, 0) == Policy(
        "rate", "long", float(sum(delays_s("long"))), "partner", "breaker-open"
    )
    assert judge(own, "Rejected", "target.refused", 400, 0) == Policy(
        "dependency", "parked", 48 * 3600.0, "retailer", "held-records"
    )
    assert judge(own, "Rejected", "shop.moved", None, 0).runbook == "breaker-open"
    assert judge(own, "Rejected", "shop.closed", None, 0).schedule == "owner"
    assert judge(own, "RetryLater", "shop.closed", None, 2).schedule == "standard"


def test_no_rule_lets_a_lost_answer_or_a_predecessor_go_the_way_of_another_answer() -> None:
    own = [
        ErrorRule(outcome="Unknown", error_class="data", schedule="none"),
        ErrorRule(outcome="NotYet", error_class="data", schedule="standard"),
    ]

    assert judge(own, "Unknown", "", None, 0).schedule == "critical"
    assert judge(own, "NotYet", "", None, 0).schedule == "parked"


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_lasts_longer_than_three_days_and_no_longer_than_fourteen(
    schedule: str,
) -> None:
    assert 3 * DAY_S < sum(delays_s(schedule)) <= HORIZON_MAX_S == 14 * DAY_S


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("horizon_s", [60, 3600, DAY_S, 7 * DAY_S, 14 * DAY_S, 99 * DAY_S])
def test_a_horizon_cuts_or_fills_a_schedule(schedule: str, horizon_s: int) -> None:
    delays = delays_s(schedule, horizon_s)
    end_s = min(horizon_s, HORIZON_MAX_S)

    assert sum(delays) <= end_s
    assert sum(delays) + SCHEDULES[schedule][-1] > end_s
    assert all(later >= sooner for sooner, later in pairwise(delays))


def test_an_order_is_tried_every_two_minutes_for_the_first_hour() -> None:
    delays = delays_s("critical")
    first_hour = [delay for number, delay in enumerate(delays) if sum(delays[:number]) < 3500]

    assert max(first_hour) == 120
    assert len(first_hour) == 37
    assert sum(delays) == pytest.approx(86 * 3600, abs=3600)


def test_every_kind_of_answer_has_a_row_and_every_class_is_used() -> None:
    by_outcome = {rule.outcome for rule in DEFAULT_RULES if not rule.code and rule.status is None}

    assert by_outcome == set(get_args(OutcomeName))
    assert {rule.error_class for rule in DEFAULT_RULES} == set(get_args(ErrorClass))
    assert set(BY_CLASS.values()) <= set(SCHEDULES)


def test_no_two_rows_say_the_same_thing_twice() -> None:
    keys = [(rule.code, rule.status, rule.outcome) for rule in DEFAULT_RULES]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("connector", names())
def test_a_lost_answer_is_unknown_for_every_connector(connector: str) -> None:
    assert policy_of(Unknown("Lost."), connector, 0).error_class == "unknown"
