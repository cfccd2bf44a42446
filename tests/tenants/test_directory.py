"""Partners, retailers and people: made, declared again, renamed, and seen by whom they concern."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from infra.database.pool import Database
from infra.database.scope import OperatorScope, PartnerScope, TenantScope
from infra.database.unit import begin
from infra.errors import Conflict, Forbidden, NotFound, Unprocessable
from infra.ids import new_id
from tenants.audit import platform, verify_chain
from tenants.partners import (
    create_partner,
    ensure_partner,
    list_partners,
    rename_partner,
)
from tenants.people import Place, ensure_person, give_role, list_members, withdraw_role
from tenants.retailers import (
    RetailerFacts,
    create_retailer,
    ensure_retailer,
    list_retailers,
    rename_retailer,
    resume_retailer,
    suspend_retailer,
)

OPERATOR = OperatorScope("person:ada")
NAVY = {"accent": "#0b2545"}


async def a_partner(database: Database, slug: str = "") -> UUID:
    return await create_partner(
        OPERATOR, database, slug=slug or f"p{new_id().hex}", name="Harborline", brand=NAVY
    )


async def audit_lines(database: Database, subject: str) -> list[tuple[str, str]]:
    async with begin(platform("test"), database) as session:
        rows = await session.fetch(
            "select actor, action from audit where subject = $1 order by seq", subject
        )
    return [(row["actor"], row["action"]) for row in rows]


async def test_a_partner_is_made_once_and_noted_in_the_audit_log(database: Database) -> None:
    partner_id = await a_partner(database, "harborline")

    with pytest.raises(Conflict, match="harborline"):
        await a_partner(database, "harborline")

    listed = [each for each in await list_partners(OPERATOR, database) if each.id == partner_id]
    assert [(each.slug, each.name, each.brand) for each in listed] == [
        ("harborline", "Harborline", NAVY)
    ]
    assert await audit_lines(database, f"partner:{partner_id}") == [
        ("person:ada", "directory.create_partner")
    ]


async def test_a_declared_partner_is_made_then_left_alone_then_changed(database: Database) -> None:
    answers = []
    for name in ("Kestrel", "Kestrel", "Kestrel Systems"):
        async with begin(OPERATOR, database) as session:
            answers.append(await ensure_partner(session, "kestrel", name, NAVY))

    assert [each.changed for each in answers] == [True, False, True]
    assert len({each.id for each in answers}) == 1
    assert [action for _, action in await audit_lines(database, f"partner:{answers[0].id}")] == [
        "directory.create_partner",
        "directory.change_partner",
    ]


async def test_two_appliers_at_once_make_one_partner_and_one_retailer(database: Database) -> None:
    async def apply() -> tuple[bool, bool, UUID]:
        async with begin(OPERATOR, database) as session:
            partner = await ensure_partner(session, "racing", "Racing", {})
            retailer = await ensure_retailer(session, partner.id, "shop", "Shop", "UTC", "EUR")
            return partner.changed, retailer.changed, retailer.id

    answers = await asyncio.gather(*(apply() for _ in range(5)))

    assert sorted(answer[:2] for answer in answers) == [(False, False)] * 4 + [(True, True)]
    assert len({answer[2] for answer in answers}) == 1


async def test_a_declared_retailer_is_made_then_left_alone_then_changed(database: Database) -> None:
    partner_id = await a_partner(database)
    answers = []
    for zone in ("UTC", "UTC", "Europe/Zurich"):
        async with begin(OPERATOR, database) as session:
            answers.append(
                await ensure_retailer(session, partner_id, "maple", "Maple", zone, "CHF")
            )

    assert [each.changed for each in answers] == [True, False, True]
    listed = await list_retailers(TenantScope(answers[0].id), database)
    assert [(each.slug, each.timezone, each.currency, each.state) for each in listed] == [
        ("maple", "Europe/Zurich", "CHF", "active")
    ]


async def test_a_partner_makes_retailers_of_its_own_and_of_nobody_else(database: Database) -> None:
    mine, foreign = await a_partner(database), await a_partner(database)
    scope = PartnerScope(mine, "person:eve")

    made = await create_retailer(scope, database, mine, RetailerFacts("maple", "Maple"))
    for partner_id in (foreign, new_id()):
        with pytest.raises(NotFound):
            await create_retailer(scope, database, partner_id, RetailerFacts("x", "X"))
    with pytest.raises(Conflict, match="maple"):
        await create_retailer(scope, database, mine, RetailerFacts("maple", "Again"))

    assert [each.id for each in await list_retailers(scope, database)] == [made]
    assert await list_retailers(PartnerScope(foreign), database) == []
    assert await audit_lines(database, f"retailer:{made}") == [
        ("person:eve", "directory.create_retailer")
    ]


async def test_renaming_the_foreign_and_the_missing_is_refused_alike(database: Database) -> None:
    mine, foreign = await a_partner(database), await a_partner(database)
    tenant_id = await create_retailer(OPERATOR, database, foreign, RetailerFacts("t", "Theirs"))

    for unreachable in (tenant_id, new_id()):
        with pytest.raises(NotFound):
            await rename_retailer(PartnerScope(mine), database, unreachable, "Mine")
    for unreachable in (foreign, new_id()):
        with pytest.raises(NotFound):
            await rename_partner(PartnerScope(mine), database, unreachable, "Mine")

    assert [each.name for each in await list_retailers(PartnerScope(foreign), database)] == [
        "Theirs"
    ]
    await rename_retailer(PartnerScope(foreign), database, tenant_id, "  Loop & Lace ")
    assert [each.name for each in await list_retailers(PartnerScope(foreign), database)] == [
        "Loop & Lace"
    ]


async def test_suspending_and_resuming_say_whether_anything_changed(database: Database) -> None:
    partner_id = await a_partner(database)
    tenant_id = await create_retailer(OPERATOR, database, partner_id, RetailerFacts("t", "T"))

    answers = [
        await suspend_retailer(OPERATOR, database, tenant_id),
        await suspend_retailer(OPERATOR, database, tenant_id),
        await resume_retailer(OPERATOR, database, tenant_id),
    ]

    assert answers == [True, False, True]


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (RetailerFacts("Maple", "M"), "/slug"),
        (RetailerFacts("-m", "M"), "/slug"),
        (RetailerFacts("m" * 64, "M"), "/slug"),
        (RetailerFacts("m\n", "M"), "/slug"),
        (RetailerFacts("m", "  "), "/name"),
        (RetailerFacts("m", "M\x00"), "/name"),
        (RetailerFacts("m", "M" * 201), "/name"),
        (RetailerFacts("m", "M", timezone="Mars/Base"), "/timezone"),
        (RetailerFacts("m", "M", timezone="../etc/passwd"), "/timezone"),
        (RetailerFacts("m", "M", currency="usd"), "/currency"),
    ],
)
async def test_unusable_facts_are_refused_with_the_field(
    database: Database, facts: RetailerFacts, field: str
) -> None:
    partner_id = await a_partner(database)

    with pytest.raises(Unprocessable) as refused:
        await create_retailer(OPERATOR, database, partner_id, facts)

    assert [error.pointer for error in refused.value.errors] == [field]
    assert await list_retailers(PartnerScope(partner_id), database) == []


async def test_a_person_holds_a_role_once_and_is_seen_where_it_holds(database: Database) -> None:
    mine, foreign = await a_partner(database), await a_partner(database)
    place = Place(partner_id=mine)
    async with begin(OPERATOR, database) as session:
        person = await ensure_person(session, " Bo@Harborline.example ", "Bo")
        first = await give_role(session, person.id, "partner_admin", place, given_by="operator")
        again = await give_role(session, person.id, "partner_admin", place, given_by="operator")

    assert (person.changed, first.changed, again) == (True, True, (first.id, False))
    seen = await list_members(PartnerScope(mine), database)
    assert [(each.email, each.role, each.place) for each in seen] == [
        ("bo@harborline.example", "partner_admin", place)
    ]
    assert await list_members(PartnerScope(foreign), database) == []

    async with begin(OPERATOR, database) as session:
        await withdraw_role(session, first.id)
    assert await list_members(PartnerScope(mine), database) == []


async def test_a_person_declared_again_is_the_same_person(database: Database) -> None:
    answers = []
    for email, name in (("i@x.example", "I"), ("I@X.example", "I"), ("i@x.example", "Ida")):
        async with begin(OPERATOR, database) as session:
            answers.append(await ensure_person(session, email, name))

    assert [each.changed for each in answers] == [True, False, True]
    assert len({each.id for each in answers}) == 1


@pytest.mark.parametrize(
    ("role", "given_by", "refusal"),
    [
        ("operator", "operator", Unprocessable),
        ("retailer_admin", "operator", Unprocessable),
        ("nobody", "operator", Unprocessable),
        ("partner_admin", "partner_support", Forbidden),
        ("partner_admin", "nobody", Forbidden),
    ],
)
async def test_a_role_that_is_unfit_or_too_high_is_refused(
    database: Database, role: str, given_by: str, refusal: type[Exception]
) -> None:
    partner_id = await a_partner(database)

    with pytest.raises(refusal):
        async with begin(OPERATOR, database) as session:
            person = await ensure_person(session, f"{new_id().hex}@x.example", "X")
            place = Place(partner_id=partner_id)
            await give_role(session, person.id, role, place, given_by=given_by)

    assert await list_members(PartnerScope(partner_id), database) == []


@pytest.mark.parametrize("email", ["", "a", "a@b", "a b@c.de", "a@b@c.de", "a\x00@b.de"])
async def test_what_is_no_address_is_refused(database: Database, email: str) -> None:
    with pytest.raises(Unprocessable):
        async with begin(OPERATOR, database) as session:
            await ensure_person(session, email, "X")


async def test_the_platforms_chain_is_whole_after_all_that(database: Database) -> None:
    report = await verify_chain(platform("test"), database)

    assert (report.ok, report.broken_at) == (True, None)
    assert report.head.seq > 0
