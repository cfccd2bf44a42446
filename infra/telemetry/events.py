"""One wide JSON line per unit of work, when it ends; only registered fields, never a secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, BinaryIO, Literal, TypeAlias
from uuid import UUID
from zlib import crc32

import msgspec
import structlog

from infra import clock
from infra.telemetry.faults import error_fields
from infra.telemetry.fields import is_registered
from infra.telemetry.redact import redacted

LogValue: TypeAlias = str | int | float | bool | Decimal | UUID | datetime | date | None
Level: TypeAlias = Literal["debug", "info", "warning", "error"]
_Line: TypeAlias = MutableMapping[str, Any]

_SEVERITY: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_ROUTINE = _SEVERITY["info"]
_EVENT_NAME = re.compile(r"[a-z][a-z_]*(?:\.[a-z][a-z_]*)+")
_ENCODER = msgspec.json.Encoder(decimal_format="string", enc_hook=str)
# Hash buckets for sampling; 10,000 steps are fine enough for a share of 0.01 %.
_BUCKETS = 10_000


@dataclass(slots=True)
class _Setup:
    """How this process writes; replaced once at start by `start_logging`."""

    min_severity: int = _ROUTINE
    sample_share_0_1: float = 1.0


_setup = _Setup()


def start_logging(
    level: Level = "info", sample_share_0_1: float = 1.0, stream: BinaryIO | None = None
) -> None:
    """Write events as JSON lines to `stream` (standard error by default); may be called again.

    Routine events (debug, info) are sampled by trace, so that one trace is written wholly or not at
    all; warnings and errors are always written. Lines of other libraries come in at warning level.
    """
    _setup.min_severity = _SEVERITY[level]
    _setup.sample_share_0_1 = sample_share_0_1
    structlog.configure(
        processors=[_only_registered, _without_secrets, _rendered],
        wrapper_class=structlog.BoundLogger,
        logger_factory=structlog.BytesLoggerFactory(stream or sys.stderr.buffer),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _LibraryLines)]:
        root.removeHandler(handler)
    root.addHandler(_LibraryLines(level=logging.WARNING))


def log_event(name: str, *, level: Level = "info", **fields: LogValue) -> None:
    """Write that something happened: `log_event("delivery.attempted", tenant=id, took_ms=412)`.

    Takes: a name `noun.past_verb` and registered fields; others are left out and only named.
    """
    severity = _SEVERITY[level]
    if severity < _setup.min_severity:
        return
    if severity <= _ROUTINE and not _is_sampled(name, fields):
        return
    structlog.get_logger().msg(name, level=level, **fields)


def _is_sampled(name: str, fields: dict[str, LogValue]) -> bool:
    share = _setup.sample_share_0_1
    if share >= 1:
        return True
    key = str(fields.get("trace_id") or fields.get("delivery") or f"{name}{clock.monotonic_s()}")
    return crc32(key.encode("utf-8", "replace")) % _BUCKETS < share * _BUCKETS


def _only_registered(_logger: Any, _method: str, line: _Line) -> _Line:
    """Keep known field names; say which others were left out, so that the mistake is found."""
    name = str(line.pop("event"))
    kept: _Line = {
        "time": clock.now().astimezone(UTC).isoformat(timespec="milliseconds"),
        "event_name": name if _EVENT_NAME.fullmatch(name) else "event.misnamed",
    }
    dropped = []
    for field, value in line.items():
        if is_registered(field):
            kept[field] = value
        else:
            dropped.append(field)
    if dropped:
        kept["dropped_fields"] = ",".join(sorted(dropped))
    return kept


def _without_secrets(_logger: Any, _method: str, line: _Line) -> _Line:
    for field, value in line.items():
        if isinstance(value, str):
            line[field] = redacted(value)
        elif isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN has no JSON form
            line[field] = None
    return line


def _rendered(_logger: Any, _method: str, line: _Line) -> bytes:
    """Write one line; JSON escapes CR, LF and controls, so that no value can begin a new line."""
    printable = {
        field: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for field, value in line.items()
    }
    return _ENCODER.encode(printable)


class _LibraryLines(logging.Handler):
    """Bring warnings and errors of libraries into the same stream, without their exceptions' text."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        log_event(
            "library.warned",
            level="error" if record.levelno >= logging.ERROR else "warning",
            library=record.name,
            # The template only: its arguments may be payloads.
            message=str(record.msg),
            **(error_fields(error) if error else {}),
        )
