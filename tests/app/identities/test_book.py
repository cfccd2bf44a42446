"""Names in the book: real PostgreSQL, two people at once, and nobody sees another retailer's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from app.identities.bind import bind_name, end_binding, make_identity, rename_object
from app.identities.bindings import ALWAYS, Binding, Kind, Name, resolve
from app.identities.merge import merge_identities, split_identity
from app.identities.resolve import Resolved, resolve_names
from app.identities.review import (
    accept_match,
    open_matches,
    propose_matches,
    reject_matches,
    undecided,
)
from app.identities.store import Grounds, bindings_of
from app.identities.suggest import Described
from infra.database.pool import Database
from infra.database.unit import begin
from infra.errors import Conflict, NotFound, Unprocessable
from infra.ids import Id
from tenants.audit import verify_chain
from tests.app.retailer import Retailer, make_retailer

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MORNING, EVENING = NOON - timedelta(hours=3), NOON + timedelta(hours=6)
TOLD = Grounds("The list of the retailer.")
GTIN = "6291041500213"


@dataclass(slots=True)
class Shop:
    """A retailer with one shop, and what its people do to names."""

    retailer: Retailer
    connection_id: Id

    def name(self, external_id: str, kind: Kind = "variant") -> Name:
        return Name(self.connection_id, kind, external_id)

    async def make(self, *names: str, kind: Kind = "variant") -> Id:
        async with self.act() as session:
            identity_id = await make_identity(session, kind, "Blue shirt")
            for name in names:
                assert await bind_name(session, self.name(name, kind), identity_id, TOLD)
        return identity_id

    def act(self) -> Any:
        return begin(self.retailer.scope, self.retailer.database)

    async def meant(self, *asked: tuple[str, datetime], kind: Kind = "variant") -> list[Id | None]:
        """Give what names meant then, as the object that it is now."""
        async with self.act() as session:
            found = await resolve_names(
                session, [(self.name(name, kind), at) for name, at in asked]
            )
        return [each.present_id if each else None for each in found]

    async def audited(self) -> list[str]:
        async with self.act() as session:
            rows = await session.fetch(
                "select action from audit where action like 'identities.%' order by seq"
            )
        return [row["action"] for row in rows]


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    retailer = await make_retailer(database)
    yield Shop(retailer, await retailer.connect("shop", "http"))


async def test_events_of_a_day_join_the_same_variant_although_it_was_renamed_at_noon(
    shop: Shop,
) -> None:
    shirt = await shop.make("TS-1")

    async with shop.act() as session:
        assert await rename_object(session, shop.name("TS-1"), shop.name("TEE-1"), NOON, "Spring")
    async with shop.act() as session:
        assert not await rename_object(
            session, shop.name("TS-1"), shop.name("TEE-1"), NOON, "Again"
        )

    meant = await shop.meant(
        ("TS-1", MORNING), ("TEE-1", EVENING), ("TS-1", EVENING), ("TEE-1", MORNING)
    )
    assert meant == [shirt, shirt, None, None]
    assert await shop.audited() == [
        "identities.make_identity",
        "identities.bind_name",
        "identities.rename_object",
    ]
    assert (await verify_chain(shop.retailer.scope, shop.retailer.database)).ok


async def test_a_number_used_again_is_refused_until_its_old_binding_has_an_end(shop: Shop) -> None:
    """E-D19. The return of an old article resolves by the date of its order."""
    shirt, coat = await shop.make("4711"), await shop.make()

    with pytest.raises(Conflict) as refused:
        async with shop.act() as session:
            await bind_name(session, shop.name("4711"), coat, TOLD, NOON)
    assert refused.value.code == "identity.bound_elsewhere"
    assert await shop.meant(("4711", EVENING)) == [shirt]

    async with shop.act() as session:
        await end_binding(session, shop.name("4711"), NOON, "Used again for coats")
        await bind_name(session, shop.name("4711"), coat, TOLD, NOON)
    assert await shop.meant(("4711", MORNING), ("4711", EVENING)) == [shirt, coat]


async def test_of_two_who_bind_one_name_at_once_one_is_refused(shop: Shop) -> None:
    shirt, coat = await shop.make(), await shop.make()

    async def bind_to(identity_id: Id) -> bool:
        async with shop.act() as session:
            return await bind_name(session, shop.name("TS-1"), identity_id, TOLD)

    done = await asyncio.gather(bind_to(shirt), bind_to(coat), return_exceptions=True)

    assert sorted(type(each).__name__ for each in done) == ["Conflict", "bool"]
    async with shop.act() as session:
        assert len(await bindings_of(session, [shop.name("TS-1")])) == 1


async def test_many_who_make_and_name_objects_at_once_do_not_wait_for_each_other_for_ever(
    shop: Shop,
) -> None:
    made = await asyncio.gather(*(shop.make(f"A-{place}", f"B-{place}") for place in range(6)))

    names = [(f"{letter}-{place}", NOON) for place in range(6) for letter in "AB"]
    assert await shop.meant(*names) == [each for each in made for _ in "AB"]


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (
            (
                "insert into binding (tenant_id, id, identity_id, connection_id, kind, external_id,"
                " valid_from, confidence, reason, created_by) select tenant_id, gen_random_uuid(),"
                " identity_id, connection_id, kind, external_id, now(), 1, '', '' from binding"
            ),
            asyncpg.UniqueViolationError,
        ),
        ("update binding set external_id = 'TS-2'", asyncpg.InsufficientPrivilegeError),
        ("update binding set identity_id = id", asyncpg.InsufficientPrivilegeError),
        ("delete from binding", asyncpg.InsufficientPrivilegeError),
        ("delete from identity", asyncpg.InsufficientPrivilegeError),
        ("update binding set valid_to = '2000-01-01'", asyncpg.CheckViolationError),
    ],
)
async def test_the_table_itself_refuses_to_rewrite_what_was(
    shop: Shop, statement: str, fault: type[Exception]
) -> None:
    shirt = await shop.make("TS-1")

    with pytest.raises(fault):
        async with shop.act() as session:
            await session.execute(statement)

    assert await shop.meant(("TS-1", NOON)) == [shirt]


async def test_a_merge_leaves_a_tombstone_that_leads_to_the_other(shop: Shop) -> None:
    first, second, third = (await shop.make("A"), await shop.make("B"), await shop.make("C"))

    async with shop.act() as session:
        await merge_identities(session, first, second, NOON, "The same shirt")
    async with shop.act() as session:
        await merge_identities(session, second, third, EVENING, "Again the same")

    assert await shop.meant(("A", MORNING), ("A", EVENING), ("B", MORNING)) == [third] * 3
    async with shop.act() as session:
        (then,) = await resolve_names(session, [(shop.name("A"), MORNING)])
    assert then == Resolved(first, third)
    for loser, winner in ((first, third), (third, third), (third, second)):
        with pytest.raises(Conflict) as refused:
            async with shop.act() as session:
                await merge_identities(session, loser, winner, NOON, "No")
        assert refused.value.code == "identity.merged"


async def test_a_customer_taken_apart_gets_a_new_id_and_leaves_the_history_behind(
    shop: Shop,
) -> None:
    """E-D17. Only what happens later belongs to the new one."""
    anna = await shop.make("web-9", "till-4", kind="customer")

    async with shop.act() as session:
        other = await split_identity(
            session, anna, [shop.name("till-4", "customer")], NOON, "Two people, one phone"
        )

    meant = await shop.meant(
        ("till-4", MORNING), ("till-4", EVENING), ("web-9", EVENING), kind="customer"
    )
    assert meant == [anna, other, anna]
    async with shop.act() as session:
        labels = await session.fetch("select label from identity where kind = 'customer'")
    assert [row["label"] for row in labels] == ["", ""]


async def test_probable_matches_wait_for_a_person_before_the_first_write(shop: Shop) -> None:
    shirt, coat = await shop.make("ERP-1"), await shop.make("ERP-2")
    known = {
        shirt: Described("TS-1", (GTIN,), "Blue shirt"),
        coat: Described("CT-1", (), "Blue shirt"),
    }
    newcomers = {
        shop.name("gid-1"): Described("TS-1", (GTIN,), "Blue shirt"),
        shop.name("gid-2"): Described("CT1", (), "Coat"),
        shop.name("gid-3"): Described("NEW", (), "Hat"),
        shop.name("ERP-1"): Described("TS-1"),
    }

    async with shop.act() as session:
        assert await propose_matches(session, newcomers, known) == 3
        assert await propose_matches(session, newcomers, known) == 0
        assert await undecided(session, list(newcomers)) == {"gid-1", "gid-2"}
        best, nearly, title = await open_matches(session, shop.connection_id)

    assert (best.name.external_id, best.candidate_id) == ("gid-1", shirt)
    assert best.reasons == ("the same GTIN", "the same SKU", "the same title")
    assert (nearly.name.external_id, nearly.candidate_id) == ("gid-2", coat)
    assert (title.name.external_id, title.candidate_id) == ("gid-1", coat)

    async with shop.act() as session:
        await accept_match(session, best.id)
    async with shop.act() as session:
        await reject_matches(session, [nearly.id])
    async with shop.act() as session:
        assert await undecided(session, list(newcomers)) == set()
        assert await open_matches(session, shop.connection_id) == []
        assert await propose_matches(session, newcomers, known) == 0
    with pytest.raises(Conflict) as refused:
        async with shop.act() as session:
            await reject_matches(session, [best.id])

    assert refused.value.code == "identity.decided"
    assert await shop.meant(("gid-1", EVENING), ("gid-2", EVENING)) == [shirt, None]
    async with shop.act() as session:
        row = await session.fetch_one(
            "select confidence, reason from binding where external_id = 'gid-1'"
        )
    assert row is not None
    assert (str(row["confidence"]), row["reason"]) == ("0.998", ", ".join(best.reasons))


@pytest.mark.parametrize("written", ["", "x" * 201, "two\nlines", "nul\x00"])
async def test_what_cannot_be_a_name_is_refused(shop: Shop, written: str) -> None:
    shirt = await shop.make()

    with pytest.raises(Unprocessable) as refused:
        async with shop.act() as session:
            await bind_name(session, shop.name(written), shirt, TOLD)

    assert refused.value.code == "identity.name_invalid"
    assert "identities.bind_name" not in await shop.audited()


async def test_an_object_has_one_kind(shop: Shop) -> None:
    shirt, store = await shop.make(), await shop.make(kind="location")

    for act in (
        lambda session: bind_name(session, shop.name("41", "location"), shirt, TOLD),
        lambda session: merge_identities(session, shirt, store, NOON, "Never"),
    ):
        with pytest.raises(Conflict) as refused:
            async with shop.act() as session:
                await act(session)
        assert refused.value.code == "identity.kind_differs"


async def test_another_retailer_neither_finds_nor_touches_these_names(
    shop: Shop, database: Database
) -> None:
    shirt = await shop.make("TS-1")
    other = await make_retailer(database)
    theirs = Shop(other, await other.connect("shop", "http"))

    async with theirs.act() as session:
        assert await resolve_names(session, [(shop.name("TS-1"), NOON)]) == [None]
        assert await bindings_of(session, [shop.name("TS-1")]) == []
        for table in ("identity", "binding", "identity_match"):
            assert await session.fetch_value(f"select count(*) from {table}") == 0
    for connection_id in (theirs.connection_id, shop.connection_id):
        with pytest.raises(NotFound):
            async with theirs.act() as session:
                name = Name(connection_id, "variant", "TS-1")
                await bind_name(session, name, shirt, TOLD)

    assert await shop.meant(("TS-1", NOON)) == [shirt]


async def test_the_book_resolves_as_the_rule_does(shop: Shop) -> None:
    shirt, coat = await shop.make("A"), await shop.make("B")
    hours = [ALWAYS, *(NOON + timedelta(hours=hour) for hour in range(-1, 8))]
    async with shop.act() as session:
        await rename_object(session, shop.name("A"), shop.name("C"), hours[2], "1")
        await end_binding(session, shop.name("B"), hours[4], "2")
        await bind_name(session, shop.name("B"), shirt, TOLD, hours[4])
        await end_binding(session, shop.name("C"), hours[6], "3")
        await bind_name(session, shop.name("C"), coat, TOLD, hours[7])

    asked = [(shop.name(name), at) for name in "ABC" for at in hours]
    async with shop.act() as session:
        known: list[Binding] = await bindings_of(session, [shop.name(name) for name in "ABC"])
        found = await resolve_names(session, asked)

    assert [each.identity_id if each else None for each in found] == [
        resolve(known, name, at) for name, at in asked
    ]
    assert {each.identity_id for each in found if each} == {shirt, coat}
    assert None in found
