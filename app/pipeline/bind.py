"""Put our own numbers in place of the names that a source uses, as of when it happened.

What a source calls an article, a place or a customer means what it meant at that moment: of goods that
come back, the moment at which they were sold. What the source said is kept beside (`Event.said`). A
system without names of a kind is taken to use our numbers, and costs nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from app.identities.bindings import Kind, Name
from app.identities.known import Named
from app.identities.references import Reference, references, renamed_body
from app.identities.translate import our_numbers
from app.pipeline.moments import moments_of
from app.pipeline.reading import Read
from app.pipeline.unknown_names import Unknown
from connectors.canonical.event import Body, Event, encode
from connectors.canonical.inventory import InventoryCount, InventoryMovement
from connectors.canonical.price import Price
from connectors.canonical.settlement import Settlement
from connectors.canonical.stock import StockPosition
from infra.database.unit import Session

Numbers = Mapping[tuple[Name, datetime], str | None]


@dataclass(frozen=True, slots=True)
class Bound:
    """Events in our numbers, and every name in them that nobody has tied to an object."""

    read: list[Read]
    unknown: list[Unknown]


async def bind(session: Session, named: Named, read: list[Read]) -> Bound:
    """Put our numbers into events of systems that have names of their own."""
    systems = {connection_id for connection_id, _ in named}
    ours = [each for each in read if each.message.connection_id in systems]
    if not ours:
        return Bound(read, [])
    moments = await moments_of(session, ours)
    asked = {
        (_name(one, reference), moments[one.id])
        for one in ours
        for reference in _bound_references(one, named)
    }
    in_order = sorted(asked)
    numbers = dict(zip(in_order, await our_numbers(session, in_order), strict=True))
    unknown: list[Unknown] = []
    bound = [
        _bound(one, named, numbers, moments[one.id], unknown) if one.id in moments else one
        for one in read
    ]
    return Bound(bound, unknown)


def _bound_references(read: Read, named: Named) -> Sequence[Reference]:
    connection_id = read.message.connection_id
    return [each for each in references(read.event) if (connection_id, each.kind) in named]


def _name(read: Read, reference: Reference) -> Name:
    return Name(read.message.connection_id, reference.kind, reference.name)


def _bound(
    read: Read, named: Named, numbers: Numbers, moment: datetime, unknown: list[Unknown]
) -> Read:
    event = read.event
    said: list[tuple[str, str]] = []

    def change(kind: Kind, pointer: str, name: str) -> str | None:
        if (read.message.connection_id, kind) not in named:
            return name
        reference = Reference(kind, pointer, name)
        number = numbers[_name(read, reference), moment]
        if number is None:
            unknown.append(Unknown(read, reference))
        if number != name:
            said.append((pointer, name))
        # The sku of a settlement's line is text that may be empty; all others may be nothing.
        return "" if number is None and isinstance(event.body, Settlement) else number

    body = renamed_body(event.body, change)
    if not said:
        return read
    changed = msgspec.structs.replace(
        event, body=body, key=_key(event, body), said=(*event.said, *said)
    )
    return replace(read, event=changed, encoded=encode(changed))


def _key(event: Event, body: Body) -> str:
    """Give the ordering key in our numbers, where it is made of names: so two systems share a lane."""
    return ordering_key(body) if event.key == ordering_key(event.body) else event.key


def ordering_key(body: Body) -> str:
    """Give the key that is made of names; empty for all others."""
    match body:
        case StockPosition() | InventoryCount():
            return f"stock:{body.location}/{body.sku}"
        case InventoryMovement():
            return f"stock:{body.to_place.location}/{body.sku}"
        case Price():
            return f"price:{body.sku}/{body.scope.kind}/{body.scope.name}"
        case _:
            return ""
