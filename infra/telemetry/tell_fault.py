"""A fault of ours outside a request: counted, written down once, reported; the work goes on."""

from __future__ import annotations

from infra.ids import new_id
from infra.telemetry.events import LogValue, log_event
from infra.telemetry.metrics import METRICS
from infra.telemetry.sentry import report_fault

CAUSE_CHARACTERS = 200


def tell_fault(name: str, fault: BaseException, **ids: LogValue) -> None:
    """Tell of an unexpected exception under an id; `name` is `noun.past_verb`."""
    fault_id = str(new_id())
    METRICS.count_fault()
    log_event(
        name,
        level="error",
        fault_id=fault_id,
        error_type=type(fault).__name__,
        cause=str(fault)[:CAUSE_CHARACTERS],
        **ids,
    )
    report_fault(fault, fault_id)
