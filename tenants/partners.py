"""Partners: make, rename, list, and make sure that a declared one is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from infra import clock
from infra.database.pool import Database
from infra.database.scope import OperatorScope, PartnerScope
from infra.database.unit import Session, begin
from infra.errors import Conflict, NotFound
from infra.ids import new_id
from tenants.audit import record
from tenants.directory import Partner
from tenants.naming import check_name, check_slug

Brand = Mapping[str, Any]


class Ensured(NamedTuple):
    """The id of what was declared, and whether anything had to change for it."""

    id: UUID
    changed: bool


@dataclass(frozen=True, slots=True)
class PartnerEntry:
    """A partner as lists show it."""

    id: UUID
    slug: str
    name: str
    brand: Brand


async def create_partner(
    scope: OperatorScope, database: Database, *, slug: str, name: str, brand: Brand
) -> UUID:
    """Make a partner; raises Conflict when the short name is taken."""
    async with begin(scope, database) as session:
        partner_id = await _insert(session, slug, name, brand)
        if partner_id is None:
            raise Conflict(f"There is a partner with the short name {slug}. Choose another.")
        return partner_id


async def ensure_partner(session: Session, slug: str, name: str, brand: Brand) -> Ensured:
    """Make the partner or bring its name and brand to what is declared; safe to repeat and to race."""
    made = await _insert(session, slug, name, brand)
    if made is not None:
        return Ensured(made, changed=True)
    orm = await session.orm()
    found = (
        await orm.scalars(select(Partner).where(Partner.slug == slug).with_for_update())
    ).one_or_none()
    if found is None:
        raise NotFound
    wanted = check_name(name)
    if (found.name, found.brand) == (wanted, dict(brand)):
        return Ensured(found.id, changed=False)
    found.name, found.brand = wanted, dict(brand)
    await orm.flush()
    await record(session, "directory.change_partner", f"partner:{found.id}", {"name": wanted})
    return Ensured(found.id, changed=True)


async def rename_partner(
    scope: OperatorScope | PartnerScope, database: Database, partner_id: UUID, name: str
) -> None:
    """Give a partner another name; raises NotFound when it is missing or foreign."""
    async with begin(scope, database) as session:
        orm = await session.orm()
        partner = await orm.get(Partner, partner_id, with_for_update=True)
        if partner is None:
            raise NotFound
        before, partner.name = partner.name, check_name(name)
        detail = {"before": before, "after": partner.name}
        await orm.flush()
        await record(session, "directory.rename_partner", f"partner:{partner_id}", detail)


async def list_partners(
    scope: OperatorScope | PartnerScope, database: Database
) -> list[PartnerEntry]:
    """List the partners a scope can see, by name."""
    async with begin(scope, database) as session:
        orm = await session.orm()
        found = await orm.scalars(select(Partner).order_by(Partner.name, Partner.id))
        return [PartnerEntry(each.id, each.slug, each.name, each.brand) for each in found]


async def _insert(session: Session, slug: str, name: str, brand: Brand) -> UUID | None:
    """Insert a partner and its audit line; None when the short name is taken."""
    orm = await session.orm()
    statement = (
        insert(Partner)
        .values(
            id=new_id(),
            slug=check_slug(slug),
            name=check_name(name),
            brand=dict(brand),
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["slug"])
        .returning(Partner.id)
    )
    made = (await orm.execute(statement)).scalar_one_or_none()
    if made is not None:
        await record(session, "directory.create_partner", f"partner:{made}", {"slug": slug})
    return made
