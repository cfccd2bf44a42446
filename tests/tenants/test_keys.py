"""API keys: what is stored, whom they open to, when they close, and how far they reach."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio
import time_machine

from infra import clock
from infra.database.pool import Database
from infra.database.scope import OperatorScope, PartnerScope, TenantScope
from infra.database.unit import begin
from infra.errors import Forbidden, NotFound, Unprocessable
from infra.ids import new_id
from tenants.keys import NewKey, create_key, hash_of, list_keys, revoke_key
from tenants.partners import create_partner
from tenants.principal import (
    CACHED_FOR_S,
    Principal,
    PrincipalCache,
    authenticate,
    directory_scope,
    reach,
)
from tenants.retailers import RetailerFacts, create_retailer, resume_retailer, suspend_retailer

OPERATOR = OperatorScope("person:ada")


@dataclass(frozen=True)
class World:
    """Two partners with one retailer each."""

    database: Database
    partner: UUID
    tenant: UUID
    other_partner: UUID
    other_tenant: UUID


@pytest_asyncio.fixture
async def world(database: Database) -> World:
    made: list[UUID] = []
    for _ in range(2):
        slug = f"p{new_id().hex}"
        partner_id = await create_partner(OPERATOR, database, slug=slug, name="P", brand={})
        facts = RetailerFacts("shop", "Shop")
        made += [partner_id, await create_retailer(OPERATOR, database, partner_id, facts)]
    return World(database, *made)


async def a_key(world: World, role: str, **owner: UUID) -> NewKey:
    async with begin(OPERATOR, world.database) as session:
        return await create_key(
            session,
            given_by="operator",
            label="till bridge",
            role=role,
            tenant_id=owner.get("tenant_id"),
            partner_id=owner.get("partner_id"),
        )


async def principal_of(world: World, role: str, **owner: UUID) -> Principal:
    found = await authenticate((await a_key(world, role, **owner)).text, world.database)
    assert found is not None
    return found


async def test_a_key_opens_to_its_owner_and_only_its_hash_is_stored(world: World) -> None:
    key = await a_key(world, "connector", tenant_id=world.tenant)

    principal = await authenticate(key.text, world.database)

    assert re.fullmatch(r"tkco_[A-Za-z0-9_-]{43}", key.text)
    assert principal == Principal(key.id, "connector", world.tenant, None, f"key:{key.id}")
    async with begin(TenantScope(world.tenant), world.database) as session:
        row = await session.fetch_one("select *, api_key::text as whole from api_key")
    assert row is not None
    assert row["key_hash"] == hash_of(key.text)
    assert row["prefix"] == key.text[:9]
    assert key.text not in row["whole"]
    assert key.text not in repr(key)


@pytest.mark.parametrize(
    ("role", "hint"),
    [
        ("operator", "tkop"),
        ("partner_admin", "tkpa"),
        ("partner_support", "tkps"),
        ("retailer_admin", "tkra"),
        ("retailer_staff", "tkrs"),
        ("connector", "tkco"),
        ("auditor", "tkau"),
    ],
)
async def test_the_beginning_of_a_key_tells_its_role(world: World, role: str, hint: str) -> None:
    owners: dict[str, dict[str, UUID]] = {
        "partner_admin": {"partner_id": world.partner},
        "partner_support": {"partner_id": world.partner},
        "operator": {},
    }

    key = await a_key(world, role, **owners.get(role, {"tenant_id": world.tenant}))

    assert key.text.startswith(f"{hint}_")


@pytest.mark.parametrize(
    "text", ["", "tkco_", "tkco_" + "A" * 43, "x" * 100_000, "tk\ud800", "tkco_\x00"]
)
async def test_what_is_no_key_opens_to_nobody(world: World, text: str) -> None:
    assert await authenticate(text, world.database) is None


async def test_a_cut_or_changed_key_opens_to_nobody(world: World) -> None:
    text = (await a_key(world, "connector", tenant_id=world.tenant)).text

    for near in (text[:-1], text + "A", text.swapcase(), f" {text}", text.replace("tkco", "tkop")):
        assert await authenticate(near, world.database) is None


async def test_a_revoked_key_opens_to_nobody_and_can_be_revoked_again(world: World) -> None:
    key = await a_key(world, "connector", tenant_id=world.tenant)

    async with begin(TenantScope(world.tenant), world.database) as session:
        answers = [await revoke_key(session, key.id), await revoke_key(session, key.id)]

    assert answers == [True, False]
    assert await authenticate(key.text, world.database) is None
    listed = await list_keys(TenantScope(world.tenant), world.database)
    assert [each.revoked_at is not None for each in listed] == [True]


async def test_a_key_closes_at_the_moment_it_expires(world: World) -> None:
    ends = clock.now() + timedelta(hours=1)
    async with begin(OPERATOR, world.database) as session:
        key = await create_key(
            session,
            given_by="operator",
            label="short",
            role="connector",
            tenant_id=world.tenant,
            expires_at=ends,
        )

    with time_machine.travel(ends - timedelta(microseconds=1), tick=False):
        assert await authenticate(key.text, world.database) is not None
    with time_machine.travel(ends, tick=False):
        assert await authenticate(key.text, world.database) is None


async def test_keys_of_a_suspended_retailer_close_and_open_again_when_it_resumes(
    world: World,
) -> None:
    key = await a_key(world, "connector", tenant_id=world.tenant)
    other = await a_key(world, "connector", tenant_id=world.other_tenant)

    await suspend_retailer(OPERATOR, world.database, world.tenant)
    assert await authenticate(key.text, world.database) is None
    assert await authenticate(other.text, world.database) is not None

    await resume_retailer(OPERATOR, world.database, world.tenant)
    assert await authenticate(key.text, world.database) is not None


async def test_a_row_whose_role_does_not_fit_its_owner_opens_to_nobody(world: World) -> None:
    key = await a_key(world, "retailer_admin", tenant_id=world.tenant)

    async with begin(TenantScope(world.tenant), world.database) as session:
        await session.execute("update api_key set role = 'partner_admin' where id = $1", key.id)

    assert await authenticate(key.text, world.database) is None


async def test_last_use_is_noted_at_most_once_a_minute(world: World) -> None:
    key = await a_key(world, "connector", tenant_id=world.tenant)
    start = clock.now()
    noted = []
    for after_s in (0, 59, 60, 61, 119, 120):
        moment = start + timedelta(seconds=after_s)
        with time_machine.travel(moment, tick=False):
            await authenticate(key.text, world.database)
        [entry] = await list_keys(TenantScope(world.tenant), world.database)
        assert entry.last_used_at is not None
        noted.append(round((entry.last_used_at - start).total_seconds()))

    assert noted == [0, 0, 60, 60, 60, 120]


@pytest.mark.parametrize(
    ("given_by", "role", "owner", "refusal"),
    [
        ("partner_admin", "retailer_admin", "tenant", Forbidden),
        ("partner_support", "connector", "tenant", Forbidden),
        ("connector", "connector", "tenant", Forbidden),
        ("nobody", "connector", "tenant", Forbidden),
        ("operator", "operator", "tenant", Unprocessable),
        ("operator", "operator", "partner", Unprocessable),
        ("operator", "retailer_admin", "partner", Unprocessable),
        ("operator", "connector", "none", Unprocessable),
        ("operator", "nobody", "tenant", Unprocessable),
        ("operator", "auditor", "both", Unprocessable),
    ],
)
async def test_a_key_that_may_not_be_given_is_not_made(
    world: World, given_by: str, role: str, owner: str, refusal: type[Exception]
) -> None:
    tenant_id = world.tenant if owner in ("tenant", "both") else None
    partner_id = world.partner if owner in ("partner", "both") else None

    with pytest.raises(refusal):
        async with begin(OPERATOR, world.database) as session:
            await create_key(
                session,
                given_by=given_by,
                label="x",
                role=role,
                tenant_id=tenant_id,
                partner_id=partner_id,
            )

    assert await list_keys(PartnerScope(world.partner), world.database) == []


async def test_a_key_that_has_expired_already_is_not_made(world: World) -> None:
    with pytest.raises(Unprocessable, match="expired"):
        async with begin(OPERATOR, world.database) as session:
            await create_key(
                session,
                given_by="operator",
                label="x",
                role="connector",
                tenant_id=world.tenant,
                expires_at=clock.now(),
            )


async def test_keys_for_the_foreign_and_the_missing_are_refused_alike(world: World) -> None:
    mine = PartnerScope(world.partner)
    for tenant_id in (world.other_tenant, new_id()):
        with pytest.raises(NotFound):
            async with begin(mine, world.database) as session:
                await create_key(
                    session,
                    given_by="partner_admin",
                    label="x",
                    role="connector",
                    tenant_id=tenant_id,
                )
    for partner_id in (world.other_partner, new_id()):
        with pytest.raises(NotFound):
            async with begin(mine, world.database) as session:
                await create_key(
                    session,
                    given_by="partner_admin",
                    label="x",
                    role="partner_admin",
                    partner_id=partner_id,
                )


async def test_a_retailer_cannot_make_a_key_of_its_partner_or_of_the_platform(world: World) -> None:
    for role, partner_id in (("partner_admin", world.partner), ("operator", None)):
        with pytest.raises(NotFound):
            async with begin(TenantScope(world.tenant), world.database) as session:
                await create_key(
                    session, given_by="operator", label="x", role=role, partner_id=partner_id
                )

    assert await list_keys(PartnerScope(world.partner), world.database) == []


async def test_revoking_a_foreign_key_is_refused_and_the_key_still_opens(world: World) -> None:
    key = await a_key(world, "connector", tenant_id=world.other_tenant)

    for scope in (TenantScope(world.tenant), PartnerScope(world.partner)):
        with pytest.raises(NotFound):
            async with begin(scope, world.database) as session:
                await revoke_key(session, key.id)

    assert await authenticate(key.text, world.database) is not None


async def test_each_level_lists_its_own_keys_only(world: World) -> None:
    of_tenant = await a_key(world, "connector", tenant_id=world.tenant)
    of_partner = await a_key(world, "partner_admin", partner_id=world.partner)
    of_other = await a_key(world, "connector", tenant_id=world.other_tenant)

    async def listed(scope: TenantScope | PartnerScope) -> set[UUID]:
        return {each.id for each in await list_keys(scope, world.database)}

    assert await listed(TenantScope(world.tenant)) == {of_tenant.id}
    assert await listed(PartnerScope(world.partner)) == {of_tenant.id, of_partner.id}
    assert await listed(PartnerScope(world.other_partner)) == {of_other.id}


async def test_a_principal_reaches_what_is_below_it_and_nothing_else(world: World) -> None:
    everywhere = (world.tenant, world.other_tenant)
    cases = [
        (await principal_of(world, "connector", tenant_id=world.tenant), {world.tenant}),
        (await principal_of(world, "partner_admin", partner_id=world.partner), {world.tenant}),
        (await principal_of(world, "auditor", partner_id=world.other_partner), {everywhere[1]}),
        (await principal_of(world, "operator"), set(everywhere)),
    ]

    for principal, reached in cases:
        for tenant_id in (*everywhere, new_id(), UUID(int=0), world.partner):
            if tenant_id in reached:
                scope = await reach(principal, tenant_id, world.database)
                assert scope == TenantScope(tenant_id, principal.actor)
            else:
                with pytest.raises(NotFound) as refused:
                    await reach(principal, tenant_id, world.database)
                assert refused.value.detail == NotFound().detail


async def test_a_partner_loses_a_retailer_at_once_when_it_moves(world: World) -> None:
    principal = await principal_of(world, "partner_admin", partner_id=world.partner)
    await reach(principal, world.tenant, world.database)

    async with begin(OPERATOR, world.database) as session:
        await session.execute(
            "update tenant set partner_id = $2, slug = 'moved' where id = $1",
            world.tenant,
            world.other_partner,
        )

    with pytest.raises(NotFound):
        await reach(principal, world.tenant, world.database)


async def test_the_directory_scope_is_that_of_the_owner(world: World) -> None:
    for owner, scope in (
        ({"tenant_id": world.tenant}, TenantScope),
        ({"partner_id": world.partner}, PartnerScope),
        ({}, OperatorScope),
    ):
        principal = await principal_of(world, "auditor", **owner)
        found = directory_scope(principal)
        assert type(found) is scope
        assert found.actor == principal.actor


async def test_a_revoked_key_closes_within_two_seconds_in_every_process(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await a_key(world, "connector", tenant_id=world.tenant)
    cache = PrincipalCache(world.database)
    start_s = clock.monotonic_s()
    monkeypatch.setattr(clock, "monotonic_s", lambda: start_s)
    assert await cache.authenticate(key.text) is not None
    async with begin(OPERATOR, world.database) as session:
        await revoke_key(session, key.id)

    monkeypatch.setattr(clock, "monotonic_s", lambda: start_s + CACHED_FOR_S - 0.01)
    assert await cache.authenticate(key.text) is not None
    monkeypatch.setattr(clock, "monotonic_s", lambda: start_s + CACHED_FOR_S)
    assert await cache.authenticate(key.text) is None
    assert CACHED_FOR_S == 2.0


async def test_a_crowd_with_one_key_finds_the_same_principal(world: World) -> None:
    key = await a_key(world, "connector", tenant_id=world.tenant)
    cache = PrincipalCache(world.database)

    found = await asyncio.gather(*(cache.authenticate(key.text) for _ in range(100)))

    assert all(each is found[0] for each in found)


async def test_refusals_are_not_remembered(world: World) -> None:
    key = await a_key(world, "connector", tenant_id=world.tenant)
    await suspend_retailer(OPERATOR, world.database, world.tenant)
    cache = PrincipalCache(world.database)
    assert await cache.authenticate(key.text) is None

    await resume_retailer(OPERATOR, world.database, world.tenant)

    assert await cache.authenticate(key.text) is not None
