"""Which of two tellings is the newer one, in whatever order they came.

A source's own counter decides; else its clock. A record that a person released is newer than itself.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from app.retail.told import Told
from connectors.canonical.event import (
    ORDER_CANCELLED,
    ORDER_CHANGED,
    ORDER_FULFILLED,
    ORDER_PLACED,
    ORDER_REFUNDED,
    TILL_SALE,
    encode,
)

# Of tellings of one moment under one version, what ends an order is later than what begins it.
_LATER = (ORDER_PLACED, TILL_SALE, ORDER_CHANGED, ORDER_REFUNDED, ORDER_FULFILLED, ORDER_CANCELLED)
_COUNTER_DIGITS = 18
_HASH_BYTES = 8


class Rank(NamedTuple):
    """The place of one telling among all of its object; compared from the left."""

    counter: int
    occurred_at_us: int
    version: str
    step: int
    revision: int
    content: str


def rank_of(told: Told) -> Rank:
    """Rank a telling; two of equal rank say the same."""
    event = told.event
    text = event.version
    is_counter = text.isascii() and text.isdecimal() and len(text) <= _COUNTER_DIGITS
    return Rank(
        int(text) if is_counter else -1,
        round(event.occurred_at.timestamp() * 1_000_000),
        text,
        _LATER.index(event.type),
        told.revision,
        hashlib.sha256(encode(event)).hexdigest()[: 2 * _HASH_BYTES],
    )
