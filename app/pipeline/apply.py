"""Apply what a batch says to the retail core, in the batch's own transaction and without network.

A taker gets the events of its types in order of acceptance and gives back what it must refuse: the
messages of those are held, all others go on. A released record comes again, so taking twice is
harmless. What takes time is only marked as due here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from app.pipeline.reading import Read, Refused
from app.retail.told import Told
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.ids import Id
from infra.keys.vault import TenantKey

Taker = Callable[[Session, TenantKey, Sequence[Told]], Awaitable[Mapping[Id, HoldRecord]]]

# Who takes which types; a type may have many takers, in this order.
TAKERS: tuple[tuple[frozenset[str], Taker], ...] = ()
TAKEN: frozenset[str] = frozenset().union(*(types for types, _ in TAKERS))


async def apply(session: Session, key: TenantKey, read: Sequence[Read]) -> list[Refused]:
    """Let every taker have its events; gives the messages that must be held."""
    refused: list[Refused] = []
    for types, take in TAKERS:
        told = {one.id: one for one in read if one.event.type in types}
        if told:
            holds = await take(session, key, [_told(one) for one in told.values()])
            refused += [Refused(told[event_id].message, hold) for event_id, hold in holds.items()]
    return refused


def _told(read: Read) -> Told:
    message = read.message
    return Told(read.id, message.connection_id, read.event, message.received_at, message.revision)
