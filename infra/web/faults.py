"""An error of ours: recorded once under an id, answered without a word about its inside."""

from __future__ import annotations

from infra.ids import new_id
from infra.telemetry.events import log_event
from infra.telemetry.faults import error_fields
from infra.telemetry.metrics import METRICS
from infra.telemetry.sentry import report_fault
from infra.web.problems import Problem

# Carried by the exception itself, so that it is recorded once however often it is raised again.
_MARK = "fault id "


def record_fault(error: BaseException, method: str, route: str) -> Problem:
    """Record an unexpected exception (once per exception) and say it as a 500 problem."""
    fault_id = _known_id(error)
    if fault_id is None:
        fault_id = str(new_id())
        error.add_note(_MARK + fault_id)
        log_event(
            "request.failed",
            level="error",
            fault_id=fault_id,
            method=method,
            route=route,
            **error_fields(error),
        )
        METRICS.count_fault()
        report_fault(error, fault_id)
    return Problem(
        500,
        "service.fault",
        "Something went wrong on our side. It has been recorded.",
        fault_id=fault_id,
    )


def _known_id(error: BaseException) -> str | None:
    notes: list[str] = getattr(error, "__notes__", [])
    return next((note.removeprefix(_MARK) for note in notes if note.startswith(_MARK)), None)
