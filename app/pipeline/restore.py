"""Send the owner's value back to whoever wrote over it: the owner's last event, to that system only."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from app.connections.tenant import acting_tenant
from app.pipeline.foreign import Foreign
from app.retail.voice import say
from connectors.canonical.event import Event, decode
from infra.database.unit import Session
from infra.keys.vault import TenantKey

_LAST_EVENT = """
select event.id, sealed, period from truth_stated
join event on event.tenant_id = truth_stated.tenant_id and event.id = truth_stated.event_id
where truth_stated.tenant_id = $1 and attribute = $2 and truth_stated.object_id = $3 and place = $4
    and truth_stated.connection_id = $5
"""


async def restore(session: Session, key: TenantKey, foreign: Sequence[Foreign]) -> int:
    """Say again what the owner said last, where the rule wants it; gives how much is said.

    It goes by the retailer's own flows from the core to that system. Where the owner said nothing yet,
    or under a key that was changed since, there is nothing to send; the break stands.
    """
    wanted = [each for each in foreign if each.on_foreign == "restore" and not each.agrees]
    said = [event for each in wanted if (event := await _owners(session, key, each)) is not None]
    return await say(session, key, said)


async def _owners(session: Session, key: TenantKey, foreign: Foreign) -> Event | None:
    each = foreign.statement
    row = await session.fetch_one(
        *(_LAST_EVENT, acting_tenant(session), each.attribute, each.object_id, each.place),
        foreign.owner_id,
    )
    if row is None or row["period"] != key.period:
        return None
    event = decode(key.open(f"event|{row['id']}", row["sealed"]))
    return msgspec.structs.replace(
        event,
        # Each overwriting is answered once, however often its message is read.
        version=f"{event.version}|restored|{foreign.read.message.id}",
        to=str(foreign.read.message.connection_id),
        said=(),
    )
