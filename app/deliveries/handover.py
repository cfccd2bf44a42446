"""A hint from prepare to send: events just written, still decoded, so that most are not read again.

Losing it costs one query; it is bounded, belongs to one process, and is never the truth.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from connectors.canonical.event import Event

MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """An event ready to be sent, with the trace context of the message it came from."""

    event: Event
    trace_parent: str


class HandOver:
    """Keeps the newest events of this process by tenant and event id."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[UUID, UUID], Loaded] = OrderedDict()

    def put(self, tenant_id: UUID, event_id: UUID, event: Event, trace_parent: str) -> None:
        """Keep an event; the oldest goes when there are too many."""
        self._kept[tenant_id, event_id] = Loaded(event, trace_parent)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def find(self, tenant_id: UUID, event_id: UUID) -> Loaded | None:
        """Give an event that is still kept."""
        return self._kept.get((tenant_id, event_id))

    def drop(self, tenant_id: UUID, event_id: UUID) -> None:
        """Let go of an event that was delivered."""
        self._kept.pop((tenant_id, event_id), None)
