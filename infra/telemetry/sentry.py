"""Fault reports to Sentry, scrubbed: type, place and ids leave the process, values never do."""

from __future__ import annotations

from typing import Any

import sentry_sdk
from sentry_sdk.types import Breadcrumb, BreadcrumbHint, Event, Hint

from infra.settings import TelemetrySettings

# What an event may keep; request, user, server name, modules, extra and breadcrumbs are not here.
_KEPT = (
    "event_id",
    "timestamp",
    "level",
    "platform",
    "release",
    "environment",
    "tags",
    "fingerprint",
    "exception",
    "type",
    "sdk",
)
_KEPT_FRAME = ("filename", "abs_path", "function", "module", "lineno", "in_app")


def start_fault_reports(settings: TelemetrySettings) -> bool:
    """Report faults to the configured address; False, and nothing is ever sent, without one.

    `send_default_pii` is not set: its default is off, and naming it is deprecated since SDK 2.75.
    """
    if settings.sentry_dsn is None:
        return False
    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        release=settings.release,
        environment=settings.environment,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        default_integrations=False,
        auto_enabling_integrations=False,
        traces_sample_rate=None,
        before_send=scrub,
        before_breadcrumb=_no_breadcrumb,
    )
    return True


def report_fault(error: BaseException, fault_id: str) -> None:
    """Send one exception with its id; does nothing where reporting was not started."""
    with sentry_sdk.new_scope() as scope:
        scope.set_tag("fault_id", fault_id)
        scope.capture_exception(error)


def scrub(event: Event, _hint: Hint) -> Event | None:
    """Keep type, place and ids of a fault; messages and local values may hold payloads."""
    whole: dict[str, Any] = dict(event)
    kept = {name: whole[name] for name in _KEPT if name in whole}
    for error in whole.get("exception", {}).get("values", []):
        error["value"] = ""
        trace = error.get("stacktrace") or {}
        trace["frames"] = [_bare(frame) for frame in trace.get("frames", [])]
    scrubbed: Event = kept  # type: ignore[assignment]  # same keys, fewer
    return scrubbed


def _bare(frame: dict[str, Any]) -> dict[str, Any]:
    return {name: frame[name] for name in _KEPT_FRAME if name in frame}


def _no_breadcrumb(_crumb: Breadcrumb, _hint: BreadcrumbHint) -> Breadcrumb | None:
    return None
