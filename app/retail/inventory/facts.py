"""What was told about stock, as the book keeps it: facts of articles, and tellings of documents.

A document is a ticket or an order. Told again with other content it is a further telling; which one
counts is decided when facts are folded, so the order of arrival never matters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from infra.ids import Id

FactKind = Literal["movement", "count", "order", "shipment"]
DocumentKind = Literal["ticket", "order"]

# Goods that a customer took, in whatever state they stood.
CUSTOMER: Final = "customer"
AVAILABLE: Final = "available"
COMMITTED: Final = "committed"
ON_HAND_COUNT: Final = "on_hand"
# Orders that no place serves yet stand on the account of their channel.
ACCOUNT_PREFIX = "channel:"
# Where goods on an account come from until a place is known; never written as a position.
UNPLACED: Final = "unplaced"

_DIGITS = re.compile(r"\d+")
_DIGITS_KEPT = 20


@dataclass(frozen=True, slots=True)
class StockFact:
    """One thing told of one article.

    `quantity`, in the base unit: goods moved (0 when a telling took it back), counted, wanted in all
    by an order as of `stated_at`, or sent. A movement has both places; a count and the others have
    only `to_*`. `rank` orders tellings of one `source_key`, then `stated_at`.
    """

    sku: str
    source_key: str
    kind: FactKind
    quantity: Decimal
    to_location: str
    to_state: str
    occurred_at: datetime
    stated_at: datetime
    connection_id: Id
    from_location: str = ""
    from_state: str = ""
    uncertainty_s: int = 0
    reason: str = ""
    document: str = ""
    rank: str = ""
    unit_price: Decimal | None = None
    currency: str | None = None
    event_id: Id | None = None
    telling: bytes = b""


@dataclass(frozen=True, slots=True)
class Document:
    """One telling of a ticket or an order; `location` is where it is served from."""

    connection_id: Id
    document: str
    kind: DocumentKind
    location: str
    stated_at: datetime
    rank: str
    telling: bytes = b""


DocumentKey = tuple[Id, str]
Documents = Mapping[DocumentKey, list[Document]]


def account_of(connection_id: Id) -> str:
    """Name the account on which orders of a channel stand until a place serves them."""
    return f"{ACCOUNT_PREFIX}{connection_id}"


def is_account(location: str) -> bool:
    """Say whether a location is the account of a channel and no place where goods stand."""
    return location.startswith(ACCOUNT_PREFIX)


def rank_of(version: str, revision: int) -> str:
    """Give what orders versions of one thing: numbers in them by size, a person's change last."""
    natural = _DIGITS.sub(lambda found: found.group().zfill(_DIGITS_KEPT), version)
    return f"{natural}|{revision:06d}"


def with_telling(fact: StockFact, telling: bytes, event_id: Id) -> StockFact:
    """Name the telling and the event that a fact belongs to."""
    return replace(fact, telling=telling, event_id=event_id)
