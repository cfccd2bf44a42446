"""A first list of a retailer's articles: each gets an object of ours and its name, all at once."""

from __future__ import annotations

from collections.abc import Mapping

from app.connections.tenant import acting_tenant
from app.identities.bindings import ALWAYS, Kind, Name
from app.identities.code import free_codes
from app.identities.explained import close_explained
from app.identities.store import acting_person, lock_names
from infra.database.unit import Session
from infra.ids import Id, new_id
from tenants.audit import record

_NEW = """
select listed.external_id from unnest($4::text[]) as listed (external_id)
where not exists (
    select from binding where binding.tenant_id = $1 and connection_id = $2 and kind = $3
        and binding.external_id = listed.external_id)
"""
_MAKE = """
insert into identity (tenant_id, id, kind, label, created_by, code)
select $1, made.id, $2, made.label, $5, made.code
from unnest($3::uuid[], $4::text[], $6::text[]) as made (id, label, code)
"""
_BIND = """
insert into binding (tenant_id, id, identity_id, connection_id, kind, external_id, valid_from,
    confidence, reason, created_by)
select $1, named.id, named.identity_id, $2, $3, named.external_id, $7, 1, $8, $9
from unnest($4::uuid[], $5::uuid[], $6::text[]) as named (id, identity_id, external_id)
"""


async def load_objects(
    session: Session, connection_id: Id, kind: Kind, labels: Mapping[str, str], reason: str
) -> int:
    """Make an object for each name that never meant anything; gives how many were new.

    Takes: external id -> label, checked as `article_list` does. Names that mean or meant something
    are left alone, so the same list may be loaded again.
    """
    await lock_names(session)
    tenant_id, actor = acting_tenant(session), acting_person(session)
    rows = await session.fetch(_NEW, tenant_id, connection_id, kind, sorted(labels))
    names = [row["external_id"] for row in rows]
    if not names:
        return 0
    ids = [new_id() for _ in names]
    kept = [labels[name] if kind != "customer" else "" for name in names]
    codes = await free_codes(session, kind, names)
    await session.execute(_MAKE, tenant_id, kind, ids, kept, actor, codes)
    await session.execute(
        *(_BIND, tenant_id, connection_id, kind, [new_id() for _ in names], ids, names, ALWAYS),
        *(reason, actor),
    )
    await close_explained(session, [Name(connection_id, kind, name) for name in names])
    detail = {"kind": kind, "made": len(names), "reason": reason}
    await record(session, "identities.load_objects", f"connection:{connection_id}", detail)
    return len(names)
