"""People and the roles they hold; the operator writes both, partners and retailers read their own."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from infra import clock
from infra.database.pool import Database
from infra.database.scope import OperatorScope, PartnerScope, TenantScope
from infra.database.unit import Session, begin
from infra.errors import Forbidden, NotFound, Unprocessable
from infra.ids import new_id
from tenants.audit import record
from tenants.directory import Membership, Person
from tenants.naming import check_email, check_name
from tenants.partners import Ensured
from tenants.roles import fits, may_give


@dataclass(frozen=True, slots=True)
class Place:
    """Where a role holds: one partner, one retailer (there perhaps one region or store), or all."""

    partner_id: UUID | None = None
    tenant_id: UUID | None = None
    region: str | None = None
    store: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person with one role at one place, as lists show it."""

    membership_id: UUID
    person_id: UUID
    email: str
    name: str
    role: str
    place: Place


async def ensure_person(session: Session, email: str, name: str) -> Ensured:
    """Make the person of this address or bring the name up to date; safe to repeat and to race."""
    orm = await session.orm()
    address, called = check_email(email), check_name(name)
    statement = (
        insert(Person)
        .values(id=new_id(), email=address, name=called, created_at=clock.now())
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(Person.id)
    )
    made = (await orm.execute(statement)).scalar_one_or_none()
    if made is not None:
        return Ensured(made, changed=True)
    query = select(Person).where(Person.email == address).with_for_update()
    found = (await orm.scalars(query)).one_or_none()
    if found is None:
        raise NotFound
    is_changed = found.name != called
    found.name = called
    await orm.flush()
    return Ensured(found.id, changed=is_changed)


async def give_role(
    session: Session, person_id: UUID, role: str, place: Place, *, given_by: str
) -> Ensured:
    """Let a person hold a role at a place; holding it already changes nothing.

    Raises Forbidden when the giver's role may not give this one, Unprocessable when it does not fit
    the place, NotFound when the person cannot be seen. The person's row is locked meanwhile, so that
    two givers at once make one membership.
    """
    if not fits(role, partner_id=place.partner_id, tenant_id=place.tenant_id):
        raise Unprocessable("This role does not fit the place.", code="people.role_unfit")
    if not may_give(given_by, role):
        raise Forbidden("You may not give this role.", code="people.role_too_high")
    orm = await session.orm()
    if await orm.get(Person, person_id, with_for_update=True) is None:
        raise NotFound
    held = await _held(session, person_id, role, place)
    if held is not None:
        return Ensured(held, changed=False)
    membership = Membership(
        id=new_id(),
        person_id=person_id,
        role=role,
        partner_id=place.partner_id,
        tenant_id=place.tenant_id,
        region=place.region,
        store=place.store,
        created_at=clock.now(),
    )
    orm.add(membership)
    await orm.flush()
    await record(session, "people.give_role", f"person:{person_id}", {"role": role})
    return Ensured(membership.id, changed=True)


async def withdraw_role(session: Session, membership_id: UUID) -> None:
    """End a membership; raises NotFound when it is missing or foreign."""
    orm = await session.orm()
    membership = await orm.get(Membership, membership_id, with_for_update=True)
    if membership is None:
        raise NotFound
    await orm.delete(membership)
    await orm.flush()
    detail = {"role": membership.role}
    await record(session, "people.withdraw_role", f"person:{membership.person_id}", detail)


async def list_members(
    scope: TenantScope | PartnerScope | OperatorScope, database: Database
) -> list[Member]:
    """List the memberships a scope can see, by address and role."""
    query = select(Membership, Person).join(Person, Person.id == Membership.person_id)
    async with begin(scope, database) as session:
        orm = await session.orm()
        found = await orm.execute(query.order_by(Person.email, Membership.role, Membership.id))
        return [_member(membership, person) for membership, person in found]


async def _held(session: Session, person_id: UUID, role: str, place: Place) -> UUID | None:
    orm = await session.orm()
    return await orm.scalar(
        select(Membership.id).where(
            Membership.person_id == person_id,
            Membership.role == role,
            Membership.partner_id.is_not_distinct_from(place.partner_id),
            Membership.tenant_id.is_not_distinct_from(place.tenant_id),
            Membership.region.is_not_distinct_from(place.region),
            Membership.store.is_not_distinct_from(place.store),
        )
    )


def _member(membership: Membership, person: Person) -> Member:
    place = Place(membership.partner_id, membership.tenant_id, membership.region, membership.store)
    return Member(membership.id, person.id, person.email, person.name, membership.role, place)
