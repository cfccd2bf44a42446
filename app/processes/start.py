"""The first act of every process: exact numbers, its log, reports of its faults."""

from __future__ import annotations

from infra.numbers import keep_numbers_exact
from infra.settings import TelemetrySettings, load
from infra.telemetry.events import start_logging
from infra.telemetry.sentry import start_fault_reports


def start_process() -> TelemetrySettings:
    """Prepare a process before it opens anything; gives what is set about its telemetry."""
    keep_numbers_exact()
    telemetry = load(TelemetrySettings)
    start_logging(telemetry.log_level, telemetry.log_sample_share_0_1)
    start_fault_reports(telemetry)
    return telemetry
