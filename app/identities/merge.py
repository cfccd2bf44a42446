"""Two objects of ours turn out to be one, or one turns out to be two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.connections.tenant import acting_tenant
from app.identities.bindings import Name, merge, split
from app.identities.store import (
    Grounds,
    bindings_of,
    bindings_to,
    carry_out,
    insert_identity,
    lock_names,
    require_identity,
)
from infra.database.unit import Session
from infra.errors import Conflict
from infra.ids import Id
from tenants.audit import record

# What was merged into the loser before is merged into the winner too: one step leads to what it is now.
_BURY = """
update identity set merged_into = $3, merged_at = now()
where tenant_id = $1 and (id = $2 or merged_into = $2)
"""


async def merge_identities(
    session: Session, loser: Id, winner: Id, at: datetime, reason: str
) -> None:
    """Let all names of one object mean another from a moment on; the first stays as a tombstone.

    What happened before the moment resolves to the first, and through it to the second.
    Raises NotFound; Conflict when one of them was merged already, or they are of two kinds.
    """
    if loser == winner:
        raise Conflict("An object is not merged into itself.", code="identity.merged")
    await lock_names(session)
    kind = await require_identity(session, loser)
    await require_identity(session, winner, kind)
    await carry_out(
        session, merge(await bindings_to(session, loser), loser, winner, at), Grounds(reason)
    )
    await session.execute(_BURY, acting_tenant(session), loser, winner)
    detail = {"into": str(winner), "at": at.isoformat(), "reason": reason}
    await record(session, "identities.merge_identities", f"identity:{loser}", detail)


async def split_identity(
    session: Session, identity_id: Id, names: Sequence[Name], at: datetime, reason: str
) -> Id:
    """Let some names of an object mean a new one from a moment on; gives the new one.

    What happened before stays with the old one: it is moved only where there is evidence for it.
    Raises NotFound; Conflict when a name does not mean the object, or no name would remain.
    """
    await lock_names(session)
    kind = await require_identity(session, identity_id)
    known = {*await bindings_to(session, identity_id), *await bindings_of(session, names)}
    new = await insert_identity(session, kind, "", min(names).external_id if names else "")
    await carry_out(session, split(list(known), identity_id, names, new, at), Grounds(reason))
    detail = {
        "new": str(new),
        "names": sorted(name.external_id for name in names),
        "at": at.isoformat(),
        "reason": reason,
    }
    await record(session, "identities.split_identity", f"identity:{identity_id}", detail)
    return new
