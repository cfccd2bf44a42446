"""How Tryton writes values that JSON has no type for: wrapped in an object with `__class__`."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

_DAY = ("year", "month", "day")
_MOMENT = (*_DAY, "hour", "minute", "second", "microsecond")


def encode(value: object) -> bytes:
    """Write a body; decimals, days, moments and bytes are wrapped, moments as naive UTC."""
    return json.dumps(value, default=_wrapped, separators=(",", ":")).encode()


def decode(raw: bytes) -> Any:
    """Read a body; wrapped values become Decimal, date and aware UTC datetime.

    Plain numbers with a fraction are Tryton's floats (quantities); they are read as the decimal
    that is written. Raises ValueError when it is not JSON.
    """
    return json.loads(raw, object_hook=_unwrapped, parse_float=Decimal)


def token(value: object) -> str:
    """Write a domain, an order or a context as Tryton wants it in addresses and headers."""
    return base64.urlsafe_b64encode(encode(value)).decode()


def _wrapped(value: object) -> dict[str, Any]:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": f"{value:f}"}
    if isinstance(value, datetime):
        naive = value.astimezone(UTC)
        return {"__class__": "datetime", **{name: getattr(naive, name) for name in _MOMENT}}
    if isinstance(value, date):
        return {"__class__": "date", **{name: getattr(value, name) for name in _DAY}}
    if isinstance(value, bytes):
        return {"__class__": "bytes", "base64": base64.b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} has no place in a call to Tryton")


def _unwrapped(fields: dict[str, Any]) -> Any:
    match fields.get("__class__"):
        case "Decimal":
            return Decimal(fields["decimal"])
        case "datetime":
            return datetime(*(int(fields[name]) for name in _MOMENT), tzinfo=UTC)  # type: ignore[misc,arg-type]
        case "date":
            return date(*(int(fields[name]) for name in _DAY))
        case "bytes":
            return base64.b64decode(fields["base64"])
    return fields
