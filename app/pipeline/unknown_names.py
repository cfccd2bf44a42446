"""Names that nobody has tied to an object: what is held for them, and what goes on without.

A line of an order stays with its money; its stock waits, and somebody is told. Whatever says something
of an article or a place itself is held, with what it probably means. Persons are optional.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.connections.tenant import acting_tenant
from app.identities.bindings import Name
from app.identities.by_name import propose_by_name
from app.identities.explained import BREAK_KIND, break_key
from app.identities.references import Reference
from app.pipeline.reading import Read, Refused
from app.retail.breaks import Seen, see_breaks
from connectors.canonical.order import Fulfilment, Line, Order, Refund
from connectors.canonical.returns import Return
from connectors.canonical.settlement import Settlement
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session

# What keeps a line whose article nobody knows.
_KEEPS_LINES = (Order, Refund, Fulfilment, Return, Settlement)
_WHAT = {"variant": "an article", "location": "a place"}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name in an event that means nothing as of its moment."""

    read: Read
    reference: Reference

    @property
    def name(self) -> Name:
        """Give the name in its system."""
        return Name(self.read.message.connection_id, self.reference.kind, self.reference.name)

    @property
    def is_left_out(self) -> bool:
        """Say whether the event goes on without it."""
        kind = self.reference.kind
        keeps = isinstance(self.read.event.body, _KEEPS_LINES)
        return kind == "customer" or (kind == "variant" and keeps)


async def deal_with_unknown(session: Session, unknown: Sequence[Unknown]) -> list[Refused]:
    """Hold what cannot go on, tell of what goes on without; gives the messages to hold."""
    compared = [each for each in unknown if each.reference.kind != "customer"]
    if not compared:
        return []
    probable = await propose_by_name(session, [each.name for each in compared])
    await _tell_of_raw_lines(session, [each for each in compared if each.is_left_out], probable)
    held = {each.read.message.id: each for each in reversed(compared) if not each.is_left_out}
    return [Refused(each.read.message, _hold(each, probable)) for each in held.values()]


def _hold(unknown: Unknown, probable: dict[Name, str]) -> HoldRecord:
    kind, name = unknown.reference.kind, unknown.reference.name
    guess = probable.get(unknown.name)
    likely = f" It may be {guess}: accept that, or bind it." if guess else " Bind it."
    words = (
        f'This system calls {_WHAT[kind]} "{name}", and nobody has said which one of yours that is.'
        f"{likely} This goes on by itself then."
    )
    pointer, amount = f"/body{unknown.reference.pointer}", unknown.read.event.amount
    if kind == "location":
        return HoldRecord("identity.place_unknown", pointer, words, amount)
    return HoldRecord("identity.article_unknown", pointer, words, amount)


async def _tell_of_raw_lines(
    session: Session, unknown: Sequence[Unknown], probable: dict[Name, str]
) -> None:
    by_name: defaultdict[Name, list[Unknown]] = defaultdict(list)
    for each in unknown:
        by_name[each.name].append(each)
    seen = [_seen(name, each, probable.get(name)) for name, each in by_name.items()]
    await see_breaks(session, acting_tenant(session), seen)


def _seen(name: Name, unknown: Sequence[Unknown], guess: str | None) -> Seen:
    event = unknown[-1].read.event
    lines = [_line(each) for each in unknown]
    amounts = [line.gross for line in lines if line is not None]
    likely = f" It may be {guess}." if guess else ""
    currency = event.body.currency if isinstance(event.body, Order | Refund) else None
    return Seen(
        kind=BREAK_KIND,
        key=break_key(name),
        words=f'{event.label} has "{name.external_id}", and nobody has said which article of yours'
        f" that is. The money is booked; the stock of it waits until the name is bound.{likely}",
        amount=sum(amounts, Decimal(0)) if currency and amounts else None,
        currency=currency if amounts else None,
    )


def _line(unknown: Unknown) -> Line | None:
    body = unknown.read.event.body
    if not isinstance(body, Order | Refund):
        return None
    return body.lines[int(unknown.reference.pointer.split("/")[2])]
