"""What comes in: the raw message as received, where it stood in its file, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.canonical.event import Event
from connectors.canonical.money import Money

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stood: file name, record number (from 1), line (from 1), byte offset (from 0)."""

    file: str
    record: int
    line: int
    byte: int


@dataclass(frozen=True, slots=True)
class RawMessage:
    """One message exactly as it was received.

    `topic` is the source's word for what it is (`orders/create`, `ticket`, `stock`). `headers` are
    the few that the connector declared worth keeping, names in lower case. `settings` are the
    connection's settings (shop, currency, dialect, time zone).
    """

    topic: str
    body: bytes
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    position: Position | None = None
    settings: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says: its canonical events, or why it says nothing for anyone (`skipped.*`)."""

    events: tuple[Event, ...] = ()
    skipped: str | None = None


class HoldRecord(Exception):
    """This one record cannot go on as it is; it is held, explained and priced; others go on.

    code:    `area.reason`, e.g. `order.totals_differ`
    pointer: JSON pointer, column name or XPath of the field at fault
    words:   one or two sentences that a shop manager understands: the thing, the rule, the way out
    amount:  the money in the record, when it can be told
    """

    def __init__(self, code: str, pointer: str, words: str, amount: Money | None = None) -> None:
        super().__init__(f"{code} at {pointer}: {words}")
        self.code = code
        self.pointer = pointer
        self.words = words
        self.amount = amount


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One record cut out of a file: raw bytes, natural key (the dedup key) and where it stood.

    `problem` is set when the cut itself shows that the record cannot be read (an unclosed quote).
    """

    topic: str
    key: str
    body: bytes
    position: Position
    problem: HoldRecord | None = None


@dataclass(frozen=True, slots=True)
class PolledRecord:
    """One changed object found by asking the source; `key` makes the same change found twice one."""

    topic: str
    key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """One order in a list of the source: its id there, and up to when it changed (UTC)."""

    order_id: str
    number: str
    placed_at: datetime
    updated_at: datetime
    total: Money | None = None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of a list of orders; `next_page` is empty on the last one."""

    orders: tuple[ListedOrder, ...]
    next_page: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a poll: records in source order, the cursor to store, whether more waits."""

    records: tuple[PolledRecord, ...]
    cursor: JsonObject
    has_more: bool = False
