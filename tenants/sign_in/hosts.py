"""Which partner's portal a host name is: one indexed look-up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from infra.database.pool import Database
from infra.database.scope import GateScope
from infra.database.unit import Row, Session, begin
from tenants.audit import record

_BY_HOST = (
    "select p.id, p.name, p.brand::text from portal_host h join partner p on p.id = h.partner_id"
    " where h.host = $1"
)
_BY_ID = "select id, name, brand::text from partner where id = $1"


@dataclass(frozen=True, slots=True)
class Front:
    """Whose portal is opened, with this partner's own look."""

    partner_id: UUID
    name: str
    brand: Mapping[str, Any]


async def front_of_host(host: str, database: Database) -> Front | None:
    """Give the partner of a host; None for a host that serves every partner alike."""
    async with begin(GateScope(), database) as session:
        row = await session.fetch_one(_BY_HOST, host)
    return _front(row)


async def front_of_partner(partner_id: UUID, database: Database) -> Front | None:
    """Give a partner's look by its id."""
    async with begin(GateScope(), database) as session:
        row = await session.fetch_one(_BY_ID, partner_id)
    return _front(row)


async def add_host(session: Session, partner_id: UUID, host: str) -> bool:
    """Let a host open a partner's portal; False when it does already."""
    made = await session.execute(
        "insert into portal_host (host, partner_id) values ($1, $2) on conflict do nothing",
        host.lower(),
        partner_id,
    )
    if made:
        await record(session, "people.add_host", f"partner:{partner_id}", {"host": host.lower()})
    return made > 0


def _front(row: Row | None) -> Front | None:
    return Front(row["id"], row["name"], json.loads(row["brand"])) if row else None
