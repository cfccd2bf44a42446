"""What an answer means and what follows from it: the connector's own rules, then those for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast

from app.connections.unusable import NOT_SET_UP
from app.deliveries.backoff import NOT_YET_MAX_S, SCHEDULES, delays_s
from connectors import registry
from connectors.sdk.errors import (
    BY_FLOW,
    SHARED_RULES,
    ErrorClass,
    ErrorRule,
    ScheduleName,
    WhoActs,
)
from connectors.sdk.outcome import Delivered, Outcome

NamedClass = ErrorClass | Literal[""]

# Which schedule a delivery follows by the class of its flow: 0 orders and payments, 1 stock and
# fulfilment, 2 prices, 3 bulk.
BY_CLASS: dict[int, ScheduleName] = {0: "critical", 1: "critical", 2: "standard", 3: "bulk"}


def _own(
    codes: str,
    error_class: ErrorClass,
    who: WhoActs,
    runbook: str = "held-records",
    schedule: ScheduleName | None = None,
) -> tuple[ErrorRule, ...]:
    return tuple(
        ErrorRule(code=code, error_class=error_class, who=who, runbook=runbook, schedule=schedule)
        for code in codes.split()
    )


# What our own side says before, around and after a connector's work.
OWN_RULES: tuple[ErrorRule, ...] = (
    *_own("pace.", "rate", "nobody", "", "paused"),
    *_own("breaker.", "transient", "nobody", "breaker-open", "paused"),
    *_own(" ".join(sorted(NOT_SET_UP)), "auth", "retailer", "authorization-lost", "owner"),
    *_own("connection.unknown connection.disabled flow.disabled", "contract", "partner"),
    *_own("connection.path_refused connection.host_differs", "contract", "connector_maintainer"),
    *_own("egress.method_invalid egress.header_invalid", "contract", "connector_maintainer"),
    *_own("egress.", "contract", "partner"),
    *_own("retries.exhausted", "transient", "operator"),
    *_own("outcome.unknown", "unknown", "operator"),
    *_own("target.predecessor_missing", "dependency", "operator"),
    *_own("worker.crashed", "contract", "connector_maintainer", "worker-crashed"),
    *_own("event.unreadable", "data", "operator"),
    *_own("mapping.", "contract", "partner"),
    *_own("override.", "contract", "partner", "", "paused"),
)
DEFAULT_RULES = (*OWN_RULES, *SHARED_RULES)

CACHED = 4096
# Of the others the kind of answer says it all: a lost answer is unknown, whatever a gateway said.
_JUDGED_BY_STATUS = frozenset({"RetryLater", "Rejected"})


TRIED_AGAIN = frozenset({BY_FLOW, *SCHEDULES})
# What no rule can change: a lost answer is asked about or sent again, and what must wait for another
# record waits. (kind of answer, whether the schedule named is one that gets used up) -> schedule
_SURE_OF = {("Unknown", False): BY_FLOW, ("NotYet", False): "parked", ("NotYet", True): "parked"}


@dataclass(frozen=True, slots=True)
class Policy:
    """What an answer is, how long it is tried again (seconds), who acts, and which page helps them.

    `schedule` is one of backoff.SCHEDULES, or `none`, `paused`, `parked`, `owner` (sdk/errors.py).
    """

    error_class: NamedClass
    schedule: ScheduleName = "none"
    horizon_s: float = 0.0
    who: WhoActs = "nobody"
    runbook: str = ""


NOTHING_WRONG = Policy("")


def policy_of(outcome: Outcome, connector: str = "", flow_class: int | None = None) -> Policy:
    """Say what an answer of a connector's target means for a flow of this class of priority.

    Without a class the schedule is the standard one; an unknown connector has no rules of its own.
    """
    if isinstance(outcome, Delivered):
        return NOTHING_WRONG
    code = getattr(outcome, "code", "")
    return _policy(type(outcome).__name__, code, outcome.status, connector, flow_class)


def policy_of_code(code: str, connector: str = "") -> Policy:
    """Say what a code of a hold means, of a message or a delivery."""
    return _policy("Rejected", code, None, connector, None)


def rules_of(connector: str) -> tuple[ErrorRule, ...]:
    """Give the rules that a connector brings along."""
    known = connector in registry.names()
    return tuple(registry.manifest(connector).errors) if known else ()


def judge(
    own: Sequence[ErrorRule], outcome: str, code: str, status: int | None, flow_class: int | None
) -> Policy:
    """Judge one answer by a connector's own rules, and by the default ones where they are silent.

    Each column comes from the most precise rule that fills it, own rules first: a status may tell
    the class while the kind of outcome tells whether it is tried again.
    """
    told = status if outcome in _JUDGED_BY_STATUS else None
    ranked = [
        *_fitting(own, outcome, code, status),
        *_fitting(DEFAULT_RULES, outcome, code, told),
    ]
    named = next((rule.schedule for rule in ranked if rule.schedule is not None), "none")
    schedule = _schedule(_SURE_OF.get((outcome, named in TRIED_AGAIN), named), flow_class)
    horizon_h = next((rule.horizon_h for rule in ranked if rule.horizon_h is not None), None)
    return Policy(
        error_class=ranked[0].error_class,
        schedule=schedule,
        horizon_s=_horizon_s(schedule, horizon_h),
        who=next((rule.who for rule in ranked if rule.who is not None), "nobody"),
        runbook=next((rule.runbook for rule in ranked if rule.runbook), ""),
    )


@lru_cache(maxsize=CACHED)
def _policy(
    outcome: str, code: str, status: int | None, connector: str, flow_class: int | None
) -> Policy:
    return judge(rules_of(connector), outcome, code, status, flow_class)


def _fitting(
    rules: Sequence[ErrorRule], outcome: str, code: str, status: int | None
) -> list[ErrorRule]:
    """Give the rules that fit, the most precise first; of equals the first stays first."""
    fitting = (rule for rule in rules if rule.fits(outcome, code, status))
    return sorted(fitting, key=lambda rule: rule.precision, reverse=True)


def _schedule(named: str, flow_class: int | None) -> ScheduleName:
    if named == BY_FLOW:
        return BY_CLASS.get(flow_class, "standard") if flow_class is not None else "standard"
    return cast("ScheduleName", named)


def _horizon_s(schedule: ScheduleName, horizon_h: float | None) -> float:
    """Give how long a schedule lasts; what only waits for somebody has no end of its own."""
    wanted_s = None if horizon_h is None else horizon_h * 3600
    if schedule in SCHEDULES:
        return float(sum(delays_s(schedule, wanted_s)))
    if schedule == "parked":
        return wanted_s or NOT_YET_MAX_S
    return 0.0
