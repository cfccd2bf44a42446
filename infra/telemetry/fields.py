"""The words a log line may use: only registered field names are ever written."""

from __future__ import annotations

from collections.abc import Iterable

# Ids, codes, counts and durations; never payloads, persons, header values or free text of others.
_REGISTERED = {
    "actor",
    "address",
    "attempt",
    "blueprint",
    "books_difference",
    "bytes_read",
    "case",
    "cause",
    "class_p",
    "code",
    "connection",
    "connector",
    "count",
    "cursor_age_s",
    "dead_s",
    "delivered",
    "delivery",
    "dropped_fields",
    "duplicates",
    "entitlement",
    "error_at",
    "error_class",
    "error_type",
    "event",
    "event_name",
    "fault_id",
    "file_bytes",
    "flow",
    "held",
    "hold",
    "host",
    "http",
    "incident",
    "invoice",
    "is_replay",
    "lag_s",
    "lane",
    "lease_s",
    "level",
    "library",
    "lines",
    "logger",
    "message",
    "method",
    "next_s",
    "oldest_s",
    "outcome",
    "partner",
    "period",
    "pid",
    "port",
    "process",
    "queue_depth",
    "reason",
    "record",
    "records",
    "release",
    "replay",
    "retries",
    "role",
    "route",
    "rows",
    "sampled_0_1",
    "shard",
    "signal",
    "size_bytes",
    "skipped",
    "state",
    "status",
    "stream",
    "target",
    "tenant",
    "tenants",
    "time",
    "took_ms",
    "trace_id",
    "version",
    "waited_ms",
    "worker",
}


def register_fields(names: Iterable[str]) -> None:
    """Allow further field names; called at import by the package that owns the fact."""
    _REGISTERED.update(names)


def is_registered(name: str) -> bool:
    """Say whether a field may be written."""
    return name in _REGISTERED
