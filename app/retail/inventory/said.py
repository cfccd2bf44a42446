"""What one event says about stock: facts with the unit they were told in, and their document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from app.retail.inventory.facts import Document, StockFact, rank_of
from app.retail.told import Told
from infra.ids import Id

SKU_MAX = 200
KEY_MAX = 500
# A clock may go a little ahead of ours; a count from tomorrow would hide a day of sales.
AHEAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Said:
    """One fact with the unit it was told in; whether it came of a line of a sale."""

    fact: StockFact
    uom: str
    is_of_sale: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What one event says: facts, and the telling of the document they belong to."""

    said: tuple[Said, ...]
    document: Document | None = None


# Where a channel's orders are booked when they name no place: its only one, or its account.
Booking = Mapping[Id, str]


class Source(TypedDict):
    """What a fact has of the event that told it."""

    stated_at: datetime
    rank: str
    connection_id: Id
    event_id: Id


def source_of(told: Told) -> Source:
    """Say who told a fact, and how it ranks among tellings of the same thing."""
    event = told.event
    return {
        "stated_at": event.occurred_at,
        "rank": rank_of(event.version, told.revision),
        "connection_id": told.connection_id,
        "event_id": told.event_id,
    }
