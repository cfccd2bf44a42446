"""One canonical event as the pipeline hands it to the retail core."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connectors.canonical.event import Event
from infra.ids import Id


@dataclass(frozen=True, slots=True)
class Told:
    """Who told what, and when we got it (UTC); `revision` counts what a person changed of it."""

    event_id: Id
    connection_id: Id
    event: Event
    received_at: datetime
    revision: int = 0
    # What it came in, where somebody has to find that again.
    message_id: Id | None = None
