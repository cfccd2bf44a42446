"""Let a channel be told again what it refused, when somebody has mended the listing."""

from __future__ import annotations

from app.connections.tenant import acting_tenant
from infra.database.unit import Session
from infra.errors import NotFound
from infra.ids import Id
from tenants.audit import record

_IS_CHANNEL = "select exists (select from channel_turn where tenant_id = $1 and connection_id = $2)"
_RELEASE = """
update channel_position set state = 'due', tries = 0, not_before = null
where tenant_id = $1 and connection_id = $2 and state = 'refused' and ($3::text is null or sku = $3)
"""
_NEWS = """
update channel_turn set due_at = least(due_at, clock_timestamp())
where tenant_id = $1 and connection_id = $2
"""


async def release_refused(session: Session, connection_id: Id, sku: str | None, reason: str) -> int:
    """Let refused articles of a channel wait again, one or all; gives how many. Safe to repeat.

    Raises: NotFound for what is no channel of this retailer.
    """
    tenant_id = acting_tenant(session)
    if not await session.fetch_value(_IS_CHANNEL, tenant_id, connection_id):
        raise NotFound
    count = await session.execute(_RELEASE, tenant_id, connection_id, sku)
    if count:
        await session.execute(_NEWS, tenant_id, connection_id)
        detail = {"sku": sku or "", "count": str(count), "reason": reason}
        await record(session, "channels.release_listing", f"connection:{connection_id}", detail)
    return count
