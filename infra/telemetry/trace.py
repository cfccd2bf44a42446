"""W3C trace context: one id from the sender's request through every process to the target.

Source: W3C Trace Context, Recommendation, section 3.2 (`traceparent`, version 00).
"""

from __future__ import annotations

import re
import secrets

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16
_SAMPLED = "01"


def new_traceparent() -> str:
    """Begin a new trace (sampled)."""
    drawn = _random(24)
    if drawn[:32] == _NO_TRACE or drawn[32:] == _NO_SPAN:
        return new_traceparent()
    return f"00-{drawn[:32]}-{drawn[32:]}-{_SAMPLED}"


def child_traceparent(parent: str) -> str:
    """Begin a new span in the parent's trace, keeping its flags; a bad parent begins a new trace."""
    known = parse(parent)
    if known is None:
        return new_traceparent()
    return f"{known[:36]}{_random(8)}{known[-3:]}"


def parse(header: str) -> str | None:
    """Give the header back when it is a valid traceparent of version 00, None otherwise."""
    found = _TRACEPARENT.fullmatch(header)
    if found is None or found.group(1) == _NO_TRACE or found.group(2) == _NO_SPAN:
        return None
    return header


def trace_id(traceparent: str) -> str:
    """Give the 32 hex characters that all spans of a trace share; takes a valid traceparent."""
    return traceparent[3:35]


def _random(size_bytes: int) -> str:
    """Draw hex characters, never all zero (the standard forbids that)."""
    drawn = secrets.token_hex(size_bytes)
    return drawn if drawn.strip("0") else _random(size_bytes)
