"""Bindings in the book: read what an act needs, write what it plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.connections.tenant import acting_tenant
from app.identities.bindings import Binding, Kind, Name, Plan
from app.identities.code import free_codes
from app.identities.explained import close_explained
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session
from infra.errors import Conflict, NotFound, Unprocessable
from infra.ids import Id, new_id

EXTERNAL_ID_MAX = 200

# Acts on names of one retailer follow each other, so that what one has read stays so until it ends.
# They are acts of people and first loads: few, and short.
_LOCK = "select pg_advisory_xact_lock(hashtextextended('identities:' || $1::text, 0))"
_OF_NAMES = """
select identity_id, connection_id, kind, external_id, valid_from, valid_to from binding
where tenant_id = $1 and (connection_id, kind, external_id) in (
    select * from unnest($2::uuid[], $3::text[], $4::text[]))
order by valid_from
"""
_OF_IDENTITY = """
select identity_id, connection_id, kind, external_id, valid_from, valid_to from binding
where tenant_id = $1 and identity_id = $2
order by valid_from
"""
_END = """
update binding set valid_to = $6, ended_by = $7, ended_at = now()
where tenant_id = $1 and identity_id = $2 and connection_id = $3 and kind = $4 and external_id = $5
    and valid_to is null
"""
_BEGIN = """
insert into binding (tenant_id, id, identity_id, connection_id, kind, external_id, valid_from,
    confidence, reason, created_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_IDENTITY = "select kind, merged_into from identity where tenant_id = $1 and id = $2"
_MAKE = """
insert into identity (tenant_id, id, kind, label, created_by, code) values ($1, $2, $3, $4, $5, $6)
"""
_CONNECTION = "select exists (select from connection where tenant_id = $1 and id = $2)"


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why names are written: in words, and how sure (1: a person says so, or the source itself)."""

    reason: str
    confidence_0_1: Decimal = Decimal(1)


async def lock_names(session: Session) -> None:
    """Let no other act on names of this retailer begin until this one ends; call it first."""
    await session.execute(_LOCK, str(acting_tenant(session)))


async def bindings_of(session: Session, names: Sequence[Name]) -> list[Binding]:
    """Read all bindings of names, ended ones too, oldest first."""
    rows = await session.fetch(
        _OF_NAMES,
        acting_tenant(session),
        [name.connection_id for name in names],
        [name.kind for name in names],
        [name.external_id for name in names],
    )
    return [_binding(row) for row in rows]


async def bindings_to(session: Session, identity_id: Id) -> list[Binding]:
    """Read all bindings of an object, ended ones too, oldest first."""
    rows = await session.fetch(_OF_IDENTITY, acting_tenant(session), identity_id)
    return [_binding(row) for row in rows]


async def require_identity(session: Session, identity_id: Id, kind: Kind | None = None) -> Kind:
    """Give the kind of an object; raises NotFound, Conflict when it was merged or is of another kind."""
    row = await session.fetch_one(_IDENTITY, acting_tenant(session), identity_id)
    if row is None:
        raise NotFound
    if row["merged_into"] is not None:
        raise Conflict("This was merged into another. Use that one.", code="identity.merged")
    found: Kind = row["kind"]
    if kind is not None and found != kind:
        raise Conflict(f"This is a {found}, not a {kind}.", code="identity.kind_differs")
    return found


async def require_name(session: Session, name: Name) -> None:
    """Refuse a name that cannot be one; raises NotFound for a connection that is not there."""
    written = name.external_id
    if not 1 <= len(written) <= EXTERNAL_ID_MAX or not written.isprintable():
        words = f"A name has 1 to {EXTERNAL_ID_MAX} letters, digits or signs, and no line breaks."
        raise Unprocessable(words, code="identity.name_invalid")
    if not await session.fetch_value(_CONNECTION, acting_tenant(session), name.connection_id):
        raise NotFound


async def insert_identity(session: Session, kind: Kind, label: str, called: str = "") -> Id:
    """Write a new object of ours; its number is what it is called, where that is not taken."""
    identity_id = new_id()
    tenant_id, actor = acting_tenant(session), acting_person(session)
    (code,) = await free_codes(session, kind, [called])
    await session.execute(_MAKE, tenant_id, identity_id, kind, label, actor, code)
    return identity_id


async def carry_out(session: Session, plan: Plan, grounds: Grounds) -> None:
    """Write what ends and then what begins; a name is open at most once, whatever happens."""
    tenant_id, actor = acting_tenant(session), acting_person(session)
    for binding, at in plan.ends:
        name = binding.name
        await session.execute(
            *(_END, tenant_id, binding.identity_id, name.connection_id, name.kind),
            *(name.external_id, at, actor),
        )
    for binding in plan.begins:
        name = binding.name
        await session.execute(
            *(_BEGIN, tenant_id, new_id(), binding.identity_id, name.connection_id, name.kind),
            *(name.external_id, binding.valid_from, grounds.confidence_0_1, grounds.reason, actor),
        )
    await close_explained(session, [binding.name for binding in plan.begins])


def acting_person(session: Session) -> str:
    """Name who acts, as the audit log does."""
    # acting_tenant has refused every other scope.
    return session.scope.actor if isinstance(session.scope, TenantScope) else ""


def _binding(row: Row) -> Binding:
    name = Name(row["connection_id"], row["kind"], row["external_id"])
    return Binding(name, row["identity_id"], row["valid_from"], row["valid_to"])
