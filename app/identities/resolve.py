"""Find our objects for what systems call them, as of when it happened, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.connections.tenant import acting_tenant
from app.identities.bindings import Name
from infra.database.unit import Session
from infra.ids import Id

_RESOLVE = """
select asked.place, identity.id, coalesce(identity.merged_into, identity.id) as present_id
from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
    with ordinality as asked (connection_id, kind, external_id, at, place)
join binding on binding.tenant_id = $1 and binding.connection_id = asked.connection_id
    and binding.kind = asked.kind and binding.external_id = asked.external_id
    and binding.valid_from <= asked.at and (binding.valid_to is null or asked.at < binding.valid_to)
join identity on identity.tenant_id = $1 and identity.id = binding.identity_id
"""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The object that a name meant then, and the one that it is now (another after a merge)."""

    identity_id: Id
    present_id: Id


async def resolve_names(
    session: Session, asked: Sequence[tuple[Name, datetime]]
) -> list[Resolved | None]:
    """Give the object of each name as of its moment, in the order asked; None for a name of none."""
    rows = await session.fetch(
        _RESOLVE,
        acting_tenant(session),
        [name.connection_id for name, _ in asked],
        [name.kind for name, _ in asked],
        [name.external_id for name, _ in asked],
        [at for _, at in asked],
    )
    found = {row["place"]: Resolved(row["id"], row["present_id"]) for row in rows}
    return [found.get(place + 1) for place in range(len(asked))]
