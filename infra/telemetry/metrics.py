"""The numbers this process shows to Prometheus: few, typed, with bounded labels.

No metric carries a tenant: per-tenant figures are rows in the book, not time series.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Literal, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

AcceptResult: TypeAlias = Literal["accepted", "duplicate", "refused", "failed"]
DeliveryOutcome: TypeAlias = Literal[
    "delivered",
    "duplicate",
    "retry_later",
    "rejected",
    "not_yet",
    "authorization_lost",
    "unknown",
]
PriorityClass: TypeAlias = Literal["p0", "p1", "p2", "p3"]
_Message: TypeAlias = MutableMapping[str, Any]

# Seconds; dense around the promise of 1 s for vendors that hang up after 5 s.
_ACCEPT_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_DELIVERY_BUCKETS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0)
# A label value beyond this many becomes `other`: codes come from tables, but tables can be wrong.
_MAX_CODES = 200


class Metrics:
    """All metrics of one process in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._codes: set[str] = set()
        self._accepts = Counter(
            "accepts", "Messages that arrived, by what became of them", ["result"],
            registry=self.registry,
        )  # fmt: skip
        self._accept_seconds = Histogram(
            "accept_seconds", "Time from the request to its durable answer in seconds",
            buckets=_ACCEPT_BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        self._deliveries = Counter(
            "delivery_attempts", "Attempts to bring a record to a target, by outcome", ["outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._delivery_seconds = Histogram(
            "delivery_attempt_seconds", "Time that one call to a target took in seconds",
            buckets=_DELIVERY_BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        self._oldest_waiting = Gauge(
            "oldest_waiting_seconds", "Age of the oldest due delivery in seconds", ["class_p"],
            registry=self.registry,
        )  # fmt: skip
        self._book_difference = Gauge(
            "book_difference_records", "Accepted records without a fate; anything but 0 is an alarm",
            registry=self.registry,
        )  # fmt: skip
        self._held = Counter(
            "held_records", "Records that wait for a person, by reason code", ["code"],
            registry=self.registry,
        )  # fmt: skip
        self._lease_losses = Counter(
            "lease_losses", "Deliveries that another worker took over while we held them",
            registry=self.registry,
        )  # fmt: skip
        self._stranded_lanes = Gauge(
            "stranded_lanes", "Lanes with open work that nobody would wake; must be 0",
            registry=self.registry,
        )  # fmt: skip
        self._faults = Counter(
            "faults", "Requests or jobs that ended in an error of ours",
            registry=self.registry,
        )  # fmt: skip

    def count_accept(self, result: AcceptResult, took_s: float, count: int = 1) -> None:
        """Count messages that arrived together and how long their answer took (seconds)."""
        self._accepts.labels(result).inc(count)
        self._accept_seconds.observe(took_s)

    def count_attempt(self, outcome: DeliveryOutcome, took_s: float) -> None:
        """Count one attempt and how long the call took (seconds)."""
        self._deliveries.labels(outcome).inc()
        self._delivery_seconds.observe(took_s)

    def count_held(self, code: str, count: int = 1) -> None:
        """Count records put aside for a person, by reason code."""
        self._held.labels(self._bounded(code)).inc(count)

    def count_lease_loss(self) -> None:
        """Count a delivery that another worker took over."""
        self._lease_losses.inc()

    def count_fault(self) -> None:
        """Count an error of ours."""
        self._faults.inc()

    def set_oldest_waiting(self, class_p: PriorityClass, age_s: float) -> None:
        """Show the age of the oldest due delivery of a class (seconds)."""
        self._oldest_waiting.labels(class_p).set(age_s)

    def set_book_difference(self, records: int) -> None:
        """Show how many accepted records have no fate; 0 is the only good value."""
        self._book_difference.set(records)

    def set_stranded_lanes(self, lanes: int) -> None:
        """Show how many lanes the last sweep found stranded."""
        self._stranded_lanes.set(lanes)

    def page(self) -> bytes:
        """Write all metrics in Prometheus text format."""
        return generate_latest(self.registry)

    def _bounded(self, code: str) -> str:
        if code in self._codes:
            return code
        if len(self._codes) >= _MAX_CODES:
            return "other"
        self._codes.add(code)
        return code


# The metrics of this process.
METRICS = Metrics()


def metrics_app(
    metrics: Metrics = METRICS,
) -> Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]:
    """Make the ASGI application that answers `GET /metrics`; mount it on an inner port or path."""

    async def answer(
        scope: _Message,
        _receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        is_read = scope["method"] in {"GET", "HEAD"}
        body = metrics.page() if is_read else b""
        headers = [
            (b"content-type", CONTENT_TYPE_LATEST.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        status = 200 if is_read else 405
        await send({"type": "http.response.start", "status": status, "headers": headers})
        sent = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": sent})

    return answer
