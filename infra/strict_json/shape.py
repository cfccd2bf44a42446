"""How deep and how wide a document is, found out before it is parsed and without recursion."""

from __future__ import annotations

import re
from itertools import accumulate

from infra.strict_json.fault import JsonLimits, StrictJsonError

# Possessive throughout: linear time on anything; the closing quote is optional so that an
# unterminated string hides its brackets too.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_WHITESPACE = b" \t\r\n"
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def check_shape(raw: bytes, limits: JsonLimits) -> None:
    """Refuse documents with too many levels or entries (`payload.too_deep`, `.too_many_items`).

    Counting bytes gives upper bounds that nearly every message meets; only others are looked at
    with their strings taken out.
    """
    openers = raw.count(b"[") + raw.count(b"{")
    if openers <= limits.max_depth and openers + raw.count(b",") <= limits.max_items:
        return
    bare = _STRING.sub(b'"', raw).translate(None, _WHITESPACE)
    brackets = bare.translate(None, _NOT_BRACKETS)
    if max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > limits.max_depth:
        raise StrictJsonError("payload.too_deep")
    if _items(bare) > limits.max_items:
        raise StrictJsonError("payload.too_many_items")


def _items(bare: bytes) -> int:
    """Count members and elements: one per comma and one per container that is not empty."""
    openers = bare.count(b"[") + bare.count(b"{")
    empty = bare.count(b"[]") + bare.count(b"{}")
    return bare.count(b",") + openers - empty
