"""Retailers: make, rename, suspend, resume, list, and make sure that a declared one is there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from infra import clock
from infra.database.pool import Database
from infra.database.scope import OperatorScope, PartnerScope, TenantScope
from infra.database.unit import Session, begin
from infra.errors import Conflict, NotFound
from infra.ids import new_id
from tenants.audit import record
from tenants.directory import Partner, Tenant
from tenants.naming import check_currency, check_name, check_slug, check_timezone
from tenants.partners import Ensured

DirectoryScope = OperatorScope | PartnerScope


@dataclass(frozen=True, slots=True)
class RetailerEntry:
    """A retailer as lists show it; `timezone` is an IANA zone, `currency` an ISO 4217 code."""

    id: UUID
    partner_id: UUID
    slug: str
    name: str
    timezone: str
    currency: str
    state: str


@dataclass(frozen=True, slots=True)
class RetailerFacts:
    """What is said about a retailer when it is made."""

    slug: str
    name: str
    timezone: str = "UTC"
    currency: str = "USD"


async def create_retailer(
    scope: DirectoryScope, database: Database, partner_id: UUID, facts: RetailerFacts
) -> UUID:
    """Make a retailer of a partner; raises NotFound for a foreign partner, Conflict for its slug."""
    async with begin(scope, database) as session:
        made = await _insert(session, partner_id, _checked(facts))
        if made is None:
            raise Conflict(f"There is a retailer with the short name {facts.slug}. Choose another.")
        return made


async def ensure_retailer(
    session: Session, partner_id: UUID, slug: str, name: str, timezone: str, currency: str
) -> Ensured:
    """Make the retailer or bring it to what is declared; safe to repeat and to race."""
    facts = _checked(RetailerFacts(slug, name, timezone, currency))
    made = await _insert(session, partner_id, facts)
    if made is not None:
        return Ensured(made, changed=True)
    orm = await session.orm()
    found = await orm.scalars(
        select(Tenant).where(Tenant.partner_id == partner_id, Tenant.slug == slug).with_for_update()
    )
    tenant = found.one()
    if (tenant.name, tenant.timezone, tenant.currency) == (facts.name, timezone, currency):
        return Ensured(tenant.id, changed=False)
    tenant.name, tenant.timezone, tenant.currency = facts.name, timezone, currency
    await orm.flush()
    detail = {"name": facts.name, "timezone": timezone, "currency": currency}
    await record(session, "directory.change_retailer", f"retailer:{tenant.id}", detail)
    return Ensured(tenant.id, changed=True)


async def rename_retailer(
    scope: DirectoryScope, database: Database, tenant_id: UUID, name: str
) -> None:
    """Give a retailer another name; raises NotFound when it is missing or foreign."""
    async with begin(scope, database) as session:
        orm = await session.orm()
        tenant = await _locked(session, tenant_id)
        before, tenant.name = tenant.name, check_name(name)
        detail = {"before": before, "after": tenant.name}
        await orm.flush()
        await record(session, "directory.rename_retailer", f"retailer:{tenant_id}", detail)


async def suspend_retailer(scope: DirectoryScope, database: Database, tenant_id: UUID) -> bool:
    """Close all of a retailer's keys until it is resumed; True when it was not suspended before."""
    return await _move(scope, database, tenant_id, "suspended", "directory.suspend_retailer")


async def resume_retailer(scope: DirectoryScope, database: Database, tenant_id: UUID) -> bool:
    """Open a retailer's keys again; True when it was not active before."""
    return await _move(scope, database, tenant_id, "active", "directory.resume_retailer")


async def list_retailers(
    scope: DirectoryScope | TenantScope, database: Database
) -> list[RetailerEntry]:
    """List the retailers a scope can see, by name; a retailer sees itself."""
    async with begin(scope, database) as session:
        orm = await session.orm()
        found = await orm.scalars(select(Tenant).order_by(Tenant.name, Tenant.id))
        return [
            RetailerEntry(
                each.id,
                each.partner_id,
                each.slug,
                each.name,
                each.timezone,
                each.currency,
                each.state,
            )
            for each in found
        ]


async def _move(
    scope: DirectoryScope, database: Database, tenant_id: UUID, state: str, action: str
) -> bool:
    async with begin(scope, database) as session:
        orm = await session.orm()
        tenant = await _locked(session, tenant_id)
        before, tenant.state = tenant.state, state
        if before == state:
            return False
        await orm.flush()
        await record(session, action, f"retailer:{tenant_id}", {"before": before})
        return True


async def _locked(session: Session, tenant_id: UUID) -> Tenant:
    orm = await session.orm()
    tenant = await orm.get(Tenant, tenant_id, with_for_update=True)
    if tenant is None:
        raise NotFound
    return tenant


async def _insert(session: Session, partner_id: UUID, facts: RetailerFacts) -> UUID | None:
    """Insert a retailer and its audit line; None when the partner has one of that short name."""
    orm = await session.orm()
    if await orm.get(Partner, partner_id) is None:
        raise NotFound
    statement = (
        insert(Tenant)
        .values(
            id=new_id(),
            partner_id=partner_id,
            slug=facts.slug,
            name=facts.name,
            timezone=facts.timezone,
            currency=facts.currency,
            state="active",
            entitlements={},
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["partner_id", "slug"])
        .returning(Tenant.id)
    )
    made = (await orm.execute(statement)).scalar_one_or_none()
    if made is not None:
        detail = {"partner": str(partner_id), "slug": facts.slug}
        await record(session, "directory.create_retailer", f"retailer:{made}", detail)
    return made


def _checked(facts: RetailerFacts) -> RetailerFacts:
    return RetailerFacts(
        check_slug(facts.slug),
        check_name(facts.name),
        check_timezone(facts.timezone),
        check_currency(facts.currency),
    )
