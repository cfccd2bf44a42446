"""Tickets that say the same under another number: a till that was offline sent its sales twice.

The same store, till, lines and total within two minutes, and another number. Where the card terminal's
answer is the same too, the money came once: the second waits for a person. Without a card nothing proves
it, and two customers may buy the same: it counts, and somebody is told. One line alone says too little,
unless the tickets are of the same moment.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from app.connections.tenant import acting_tenant
from app.pipeline.reading import Read, Refused
from app.pipeline.rows import clean
from app.retail.breaks import Seen, see_breaks
from connectors.canonical.event import TILL_SALE
from connectors.canonical.order import Order
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session

# Source: case E-D06.
NEAR = timedelta(minutes=2)
# Tills write whole seconds.
SAME_MOMENT = timedelta(seconds=2)
LINES_THAT_TELL = 2
BREAK_KIND = "document.told_twice"
LABEL_MAX = 200
DIGEST_BYTES = 16

_KNOWN = """
select content, object_id, label, occurred_at, payments from document_trace
where tenant_id = $1 and content = any($2)
"""
_TRACE = """
insert into document_trace (tenant_id, content, object_id, label, occurred_at, payments)
select $1, * from unnest($2::bytea[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[])
on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket is compared by: what it says, its number, when, and what the terminal answered."""

    content: bytes
    object_id: str
    label: str
    occurred_at: datetime
    payments: frozenset[bytes]
    lines: int = 0

    def is_near(self, other: Ticket) -> bool:
        """Say whether another ticket says the same at nearly the same time under another number."""
        apart = abs(self.occurred_at - other.occurred_at)
        return self.content == other.content and self.object_id != other.object_id and apart <= NEAR

    def is_paid_by_the_same(self, other: Ticket) -> bool:
        """Say whether a terminal gave both the same answer: then the money came once."""
        return bool(self.payments & other.payments)

    def is_suspicious_without_card(self, other: Ticket) -> bool:
        """Say whether two tickets in cash are told of."""
        if self.payments or other.payments:
            return False
        apart = abs(self.occurred_at - other.occurred_at)
        return self.lines >= LINES_THAT_TELL or apart <= SAME_MOMENT


async def find_told_twice(session: Session, read: Sequence[Read]) -> list[Refused]:
    """Give the tickets that wait because they were told under another number before.

    A released ticket counts. What is told of in cash becomes a break. Calling it again changes nothing.
    """
    tickets = [(one, ticket_of(one)) for one in read if _is_compared(one)]
    if not tickets:
        return []
    known = await _known(session, sorted({ticket.content for _, ticket in tickets}))
    refused: list[Refused] = []
    seen: list[Seen] = []
    traced: list[Ticket] = []
    for one, ticket in tickets:
        near = [each for each in known[ticket.content] if ticket.is_near(each)]
        paid = next((each for each in near if ticket.is_paid_by_the_same(each)), None)
        cash = next((each for each in near if ticket.is_suspicious_without_card(each)), None)
        if paid is not None and one.message.revision == 0:
            refused.append(Refused(one.message, _hold(one, paid)))
            continue
        if paid is None and cash is not None:
            seen.append(_seen(one, ticket, cash))
        known[ticket.content].append(ticket)
        traced.append(ticket)
    await see_breaks(session, acting_tenant(session), seen)
    await _trace(session, traced)
    return refused


def ticket_of(read: Read) -> Ticket:
    """Give what a ticket is compared by."""
    event, body = read.event, read.event.body
    if not isinstance(body, Order):
        raise TypeError("only tickets are compared")
    lines = [(each.sku or each.title, str(each.quantity), str(each.gross)) for each in body.lines]
    content = [
        *(str(read.message.connection_id), body.store, body.workstation),
        *(body.currency, str(body.total), lines),
    ]
    payments = {_digest([each.kind, each.reference]) for each in body.tenders if each.reference}
    return Ticket(
        _digest(content),
        clean(event.object_id),
        clean(event.label)[:LABEL_MAX],
        event.occurred_at,
        frozenset(payments),
        len(body.lines),
    )


def _is_compared(read: Read) -> bool:
    body = read.event.body
    return (
        read.event.type == TILL_SALE
        and isinstance(body, Order)
        and bool(body.lines)
        and body.cancels is None
        and not body.is_test
    )


def _digest(parts: Sequence[object]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(parts)).digest()[:DIGEST_BYTES]


def _hold(read: Read, first: Ticket) -> HoldRecord:
    return HoldRecord(
        "document.told_twice",
        "/body/number",
        f"{read.event.label} says the same as {first.label} of"
        f" {first.occurred_at:%Y-%m-%d %H:%M} UTC, with the same answer of the card terminal. The"
        " customer paid once. Discard it, or release it if it was a sale of its own.",
        read.event.amount,
    )


def _seen(read: Read, ticket: Ticket, first: Ticket) -> Seen:
    event, body = read.event, read.event.body
    return Seen(
        kind=BREAK_KIND,
        key=ticket.object_id,
        words=f"{event.label} says the same as {first.label} of {first.occurred_at:%Y-%m-%d %H:%M} UTC,"
        " paid in cash. Both count. If the till sent one sale twice, cancel the second there.",
        place=(body.store or "") if isinstance(body, Order) else "",
        day=event.business_day,
        amount=event.amount.amount if event.amount else None,
        currency=event.amount.currency if event.amount else None,
    )


async def _known(session: Session, contents: Sequence[bytes]) -> defaultdict[bytes, list[Ticket]]:
    rows = await session.fetch(_KNOWN, acting_tenant(session), list(contents))
    known: defaultdict[bytes, list[Ticket]] = defaultdict(list)
    for row in rows:
        known[row["content"]].append(
            Ticket(
                row["content"],
                row["object_id"],
                row["label"],
                row["occurred_at"],
                _split(row["payments"]),
            )
        )
    return known


async def _trace(session: Session, tickets: Sequence[Ticket]) -> None:
    if tickets:
        await session.execute(
            _TRACE,
            acting_tenant(session),
            [each.content for each in tickets],
            [each.object_id for each in tickets],
            [each.label for each in tickets],
            [each.occurred_at for each in tickets],
            [b"".join(sorted(each.payments)) for each in tickets],
        )


def _split(payments: bytes) -> frozenset[bytes]:
    places = range(0, len(payments), DIGEST_BYTES)
    return frozenset(payments[place : place + DIGEST_BYTES] for place in places)
