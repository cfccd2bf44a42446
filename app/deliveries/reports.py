"""What the engine tells about its own work: wide events and metrics, never payloads."""

from __future__ import annotations

from collections.abc import Sequence

from app.deliveries.claim import Claimed, LaneKey
from app.deliveries.decide import Decision
from app.deliveries.settle import LaneResult, Lease
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
from infra.telemetry.events import log_event
from infra.telemetry.metrics import METRICS, DeliveryOutcome
from infra.telemetry.tell_fault import tell_fault

OUTCOME_NAMES: dict[type[Outcome], DeliveryOutcome] = {
    Delivered: "delivered",
    Duplicate: "duplicate",
    RetryLater: "retry_later",
    Rejected: "rejected",
    NotYet: "not_yet",
    AuthorizationLost: "authorization_lost",
    Unknown: "unknown",
}


class Reports:
    """Writes one wide event per attempt that did not go through, and counts all of them."""

    def attempted(
        self, delivery: Claimed, outcome: Outcome, decision: Decision, took_ms: int
    ) -> None:
        """Tell of one attempt."""
        METRICS.count_attempt(OUTCOME_NAMES[type(outcome)], took_ms / 1000)
        if decision.state == "held":
            METRICS.count_held(decision.code)
        if decision.state != "delivered":
            log_event(
                "delivery.attempted",
                tenant=str(delivery.tenant_id),
                flow=str(delivery.flow_id),
                delivery=str(delivery.id),
                attempt=delivery.attempt,
                outcome=OUTCOME_NAMES[type(outcome)],
                state=decision.state,
                code=decision.code,
                error_class=decision.error_class,
                took_ms=took_ms,
                next_s=round(decision.wait_s),
            )

    def settled(self, results: Sequence[LaneResult], ours: frozenset[Lease]) -> None:
        """Tell of a settled batch; lanes lost to another worker are counted."""
        lost = sum(result.lease not in ours for result in results)
        if lost:
            for _ in range(lost):
                METRICS.count_lease_loss()
            log_event("lease.lost", level="warning", count=lost)

    def unsettled(self, lanes: int) -> None:
        """Tell that results could not be written because the book was away."""
        log_event("settle.postponed", level="warning", count=lanes)

    def settle_failed(self, result: LaneResult, fault: Exception) -> None:
        """Tell of one lane whose result was refused by the database."""
        tell_fault("settle.failed", fault, tenant=str(result.key[0]))

    def lane_failed(self, key: LaneKey, fault: Exception) -> None:
        """Tell of a lane whose work ended in a fault of ours; it is due again when its lease ends."""
        tell_fault("lane.failed", fault, tenant=str(key[0]))

    def round_failed(self, fault: Exception) -> None:
        """Tell of a claim that ended in a fault of ours; the next round tries again."""
        tell_fault("claim.failed", fault)
