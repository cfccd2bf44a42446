"""Read one batch of raw messages into canonical events and their routes; pure, no database."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from app.deliveries.deadlines import deadline_of
from app.flows.routes import Route, Routes
from app.intake.incoming import FETCHED_HEADER
from app.pipeline.card_numbers import card_number_field
from connectors.canonical.event import STOCK_POSITION, Event, encode
from connectors.canonical.order import Order
from connectors.sdk.connector import Connector
from connectors.sdk.manifest import Manifest
from connectors.sdk.message import HoldRecord, RawMessage
from infra.ids import Id, new_id

Fate = Literal["routed", "skipped"]

# Values of which only the latest counts are told again and again; each telling is its own fact.
_TOLD_AGAIN = frozenset({STOCK_POSITION})

# In place of the hash of a content: whatever the other one says, it is the same fact.
FETCHED = bytes(32)

# Raised while a message is read, these are the connector's, and stop neither loop nor process.
_NOT_A_STOP = (asyncio.CancelledError, GeneratorExit, SystemExit)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One accepted message as the book holds it, its body opened."""

    id: UUID
    connection_id: UUID
    revision: int
    crash_count: int
    file_id: UUID | None
    position: str | None
    trace_parent: str
    received_at: datetime
    raw: RawMessage
    problem: HoldRecord | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """One event of a message with the flows it goes to; `fact_hash` is None when told again."""

    id: UUID
    message: Waiting
    event: Event
    routes: tuple[Route, ...]
    encoded: bytes
    fact_hash: bytes | None
    content_hash: bytes
    # When its source's vendor wants it dealt with, if there is such a clock.
    deadline_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """One message that cannot go on as it is; `connector` read it, where there is one."""

    message: Waiting
    hold: HoldRecord
    connector: str = ""


@dataclass(slots=True)
class Batch:
    """What a batch of messages says: events to go on, messages to hold, messages that say nothing."""

    read: list[Read] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    skipped: list[tuple[Waiting, str]] = field(default_factory=list)


def read_batch(
    messages: Sequence[Waiting],
    connectors: Mapping[Id, Connector],
    routes: Routes,
    taken: frozenset[str] = frozenset(),
) -> Batch:
    """Read messages one by one in order of acceptance; a fault stays with its own message.

    `taken` are the event types that the retail core wants, whether or not a flow takes them too.
    """
    batch = Batch()
    for message in messages:
        try:
            _read_one(message, connectors, routes, taken, batch)
        except HoldRecord as hold:
            batch.refused.append(Refused(message, hold, _name(message, connectors)))
        except (Exception, *_NOT_A_STOP) as fault:  # noqa: BLE001 - one record's fault alone
            name = _name(message, connectors)
            batch.refused.append(Refused(message, _broken_reader(fault), name))
    return batch


def _name(message: Waiting, connectors: Mapping[Id, Connector]) -> str:
    connector = connectors.get(message.connection_id)
    return connector.manifest.name if connector is not None else ""


def _read_one(
    message: Waiting,
    connectors: Mapping[Id, Connector],
    routes: Routes,
    taken: frozenset[str],
    batch: Batch,
) -> None:
    _refuse_card_number(message.raw)
    if message.problem is not None:
        raise message.problem
    connector = connectors.get(message.connection_id)
    if connector is None:
        raise HoldRecord(
            "connection.unknown", "", "The connection of this message has no connector any more."
        )
    reading = connector.read(message.raw)
    if reading.skipped is not None:
        batch.skipped.append((message, reading.skipped))
        return
    manifest = connector.manifest
    found = [_route(message, event, routes, manifest) for event in reading.events]
    if not any(read.routes or read.event.type in taken for read in found):
        batch.skipped.append((message, "skipped.no_flow"))
        return
    batch.read.extend(found)


def _refuse_card_number(raw: RawMessage) -> None:
    """Hold what carries a payment card number, whatever it is: it must go no further (PCI DSS)."""
    name = card_number_field(raw.body)
    if name is not None:
        raise HoldRecord(
            "pci.pan_found",
            "",
            f'The field "{name}" holds a payment card number, which must not be sent on. Edit this'
            " record and take the number out. Then see to it that the source sends none.",
        )


def _route(message: Waiting, event: Event, routes: Routes, manifest: Manifest) -> Read:
    encoded = encode(event)
    goes_to = tuple(
        route
        for route in routes.get(message.connection_id, ())
        if event.type in route.event_types
        and _is_meant_for(event, route)
        and not _stays_here(event)
    )
    return Read(
        id=new_id(),
        message=message,
        event=event,
        routes=goes_to,
        encoded=encoded,
        fact_hash=_fact_hash(message, event),
        content_hash=_content_hash(message, encoded),
        deadline_at=deadline_of(manifest, event, message.received_at),
    )


def _content_hash(message: Waiting, encoded: bytes) -> bytes:
    """Tell contents apart; what was fetched stands for the same object told in any other way.

    It was asked for because the telling was lost. When that comes late after all it is older, or
    worded differently, and no contradiction that a person would have to settle.
    """
    if message.raw.headers.get(FETCHED_HEADER):
        return FETCHED
    return hashlib.sha256(encoded).digest()


def _is_meant_for(event: Event, route: Route) -> bool:
    return not event.to or event.to == str(route.target_connection_id)


def _stays_here(event: Event) -> bool:
    """Test and training orders reach nobody (O-10), nor do those that their channel holds back yet."""
    body = event.body
    return isinstance(body, Order) and (body.is_test or body.is_pending)


def _fact_hash(message: Waiting, event: Event) -> bytes | None:
    """Name the fact that a source states: same object, same version, whichever way it came.

    A message that a person edited or released states it anew.
    """
    if event.type in _TOLD_AGAIN:
        return None
    parts = (event.type, event.object_id, event.version, str(message.revision))
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()


def _broken_reader(fault: BaseException) -> HoldRecord:
    """Hold a message whose reading failed in a way its connector did not foresee."""
    return HoldRecord(
        "connector.fault",
        "",
        "This message could not be read because of a fault in the connector"
        f" ({type(fault).__name__}). The others go on; release it after the fix.",
    )
