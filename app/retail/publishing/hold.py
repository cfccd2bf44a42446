"""Why a channel is not published to at all: it is paused, takes no stock, or has another path."""

from __future__ import annotations

from dataclasses import dataclass

from app.connections.directory import BookedConnection
from app.retail.breaks import Seen, close_breaks, see_breaks
from app.retail.publishing.tell import stock_action
from app.retail.publishing.turns import Turn
from connectors import registry
from connectors.canonical.event import STOCK_POSITION
from infra.database.unit import Session
from infra.ids import Id

KIND = "channel.held"
PAUSED_LOOK_S = 2.0
HELD_LOOK_S = 15.0

# A flow that is switched off sends nothing; one that is paused goes on later with what it has.
_OTHER_PATH = """
select name from flow where tenant_id = $1 and target_connection_id = $2 and is_enabled
    and $3 = any(event_types)
order by name limit 1
"""


@dataclass(frozen=True, slots=True)
class Held:
    """Why nothing is sent, in words for people ("" when it needs none), and when to look again."""

    words: str
    again_s: float


async def find_hold(session: Session, turn: Turn, booked: BookedConnection | None) -> Held | None:
    """Say why a channel must not be published to now; None when nothing speaks against it."""
    if booked is None or booked.config.connector not in registry.names():
        return Held("This channel's system does not exist any more.", HELD_LOOK_S)
    if booked.config.state != "active":
        return Held("", PAUSED_LOOK_S)
    if stock_action(booked.config.connector) is None:
        return Held("This system takes no stock. Remove its channel rule.", HELD_LOOK_S)
    other = await other_path(session, *turn.channel)
    return Held(two_paths(other), HELD_LOOK_S) if other else None


async def note_hold(session: Session, turn: Turn, held: Held | None) -> None:
    """Keep one break open while people have to do something about a channel."""
    key = str(turn.connection_id)
    if held is not None and held.words:
        await see_breaks(session, turn.tenant_id, [Seen(KIND, key, held.words, key)])
    else:
        await close_breaks(session, turn.tenant_id, KIND, [key], "The channel is told its stock.")


async def other_path(session: Session, tenant_id: Id, connection_id: Id) -> str | None:
    """Name a flow that brings stock to the same system; None when there is none.

    Of two paths the slower one would land last, with the older value (law L6).
    """
    name: str | None = await session.fetch_value(
        _OTHER_PATH, tenant_id, connection_id, STOCK_POSITION
    )
    return name


def two_paths(flow: str) -> str:
    """Say in words why two paths are one too many, and the way out."""
    return (
        f'The flow "{flow}" brings stock to this channel, too. The older value could land last, so'
        " nothing is published here. Switch the flow off, or remove the channel's rule."
    )
