"""The moment that the demo is about: a web order that stands in the ERP."""

from __future__ import annotations

import asyncio
from uuid import UUID

from connectors.canonical.event import ORDER_PLACED
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import PlatformError

LOOK_EVERY_S = 0.1
ACTOR = "operator.demo"

_FIRST = """
select d.external_ref, e.label from delivery d
join event e on e.tenant_id = d.tenant_id and e.id = d.event_id
where d.tenant_id = $1 and d.state = 'delivered' and e.type = $3 and d.settled_at > $2
    and d.accepted_at > $2 - interval '7 days'
order by d.settled_at limit 1
"""


async def first_delivered(database: Database, tenant_id: UUID) -> str:
    """Wait until a web order is delivered after this moment; say which, and its name in the ERP."""
    since = clock.now()
    while True:
        try:
            async with begin(TenantScope(tenant_id, ACTOR), database) as session:
                row = await session.fetch_one(_FIRST, tenant_id, since, ORDER_PLACED)
        except PlatformError:
            row = None  # the book is away for a moment
        if row is not None:
            return f"{row['label']} is {row['external_ref'] or 'booked'} in the ERP"
        await asyncio.sleep(LOOK_EVERY_S)
