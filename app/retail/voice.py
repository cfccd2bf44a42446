"""The retail core speaks: what follows from what was told becomes events like any other.

They are messages of the retailer's own connection `core`, stored in the transaction of whatever they
follow from. So they are routed, delivered, held, replayed and counted in the books like the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.connections.configure import WantedConnection, ensure_connection
from app.connections.tenant import acting_tenant
from app.intake.incoming import Accepted, Incoming, seal
from app.intake.store import store_in
from connectors.canonical.event import Event, encode
from infra.database.unit import Session
from infra.ids import Id
from infra.keys.vault import TenantKey

CONNECTION = "core"
_FIND = "select id from connection where tenant_id = $1 and name = $2"


async def say(session: Session, key: TenantKey, events: Sequence[Event]) -> int:
    """Store events in the open transaction of their tenant; gives how many are new.

    Type, object and version make an event: said again, nothing happens. Ring the bell after the
    commit, else workers find it when they look by themselves.
    """
    return sum(not each.is_duplicate for each in await say_each(session, key, events))


async def say_each(session: Session, key: TenantKey, events: Sequence[Event]) -> list[Accepted]:
    """Do the same and give what became of each, with its message, in order of the events."""
    if not events:
        return []
    connection_id = await core_connection(session)
    return await store_in(
        session,
        [
            seal(
                Incoming(
                    tenant_id=acting_tenant(session),
                    connection_id=connection_id,
                    topic=event.type,
                    dedup=f"{event.type}|{event.object_id}|{event.version}",
                    body=encode(event),
                ),
                key,
            )
            for event in events
        ],
    )


async def core_connection(session: Session) -> Id:
    """Give the retailer's own connection, making it the first time."""
    known = await session.fetch_value(_FIND, acting_tenant(session), CONNECTION)
    if known is not None:
        found: Id = known
        return found
    wanted = WantedConnection(CONNECTION, "core", "Retail core")
    connection_id, _ = await ensure_connection(session, wanted)
    return connection_id
