"""Two partners with two retailers each: no scope ever gets or touches a foreign row."""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from infra.database.pool import Database
from infra.database.scope import EngineScope, OperatorScope, PartnerScope, TenantScope
from infra.database.unit import Session, begin
from infra.ids import new_id
from tenants.audit import record
from tenants.keys import create_key
from tenants.partners import ensure_partner
from tenants.people import Place, ensure_person, give_role
from tenants.retailers import ensure_retailer
from tests.tenants.seeds import SEEDS

SEED = 20_261_127
STATEMENTS = 10_000  # P21
PER_TRANSACTION = 100

BY_ENGINE = {
    "backlog": "(tenant_id, open, most) values ($1, 0, 1)",
    "book_hour": (
        "values ($1, $2, date_trunc('hour', now()), 1, '{}', 0, 1, length($3::uuid::text) - 36, now())"
    ),
    "flow_hour": (
        "values ($1, $3, date_trunc('hour', now()), 1, '{}', 0, 1, length($2::uuid::text) - 36, now())"
    ),
}
# Made through this package's own functions, below.
BY_DIRECTORY = {"audit", "api_key", "membership"}
DIRECTORY = ("partner", "tenant", "person", "membership", "api_key")
EVERYBODYS = UUID(int=0)  # the retailer of rows that are of none
# What a partner and the operator read of their retailers besides the directory -> what the rows
# that are of no retailer have for one: a partner's channels and what these are told of several
# retailers are the partner's alone, a release of the product is a change for everybody.
REACHED: dict[str, set[UUID | None]] = {
    "incident": set(),
    "incident_moment": set(),
    "alert_channel": {None},
    "alert": {EVERYBODYS},
    "change": {EVERYBODYS},
}
# $1 retailer, $2 channel, $3 partner.
ALERT_OF_PARTNER = (
    "insert into alert (tenant_id, id, channel_id, partner_id, thread_id, kind, severity)"
    " values ($1, gen_random_uuid(), $2, $3, gen_random_uuid(), 'opened', 2)"
)


@dataclass
class World:
    """What exists and whose it is."""

    tenants: dict[UUID, UUID] = field(default_factory=dict)  # retailer -> partner
    people: dict[UUID, UUID] = field(default_factory=dict)  # person -> retailer
    channels: dict[UUID, UUID] = field(default_factory=dict)  # partner -> where it is alerted
    tables: list[str] = field(default_factory=list)

    def of_partner(self, partner_id: UUID) -> set[UUID]:
        return {tenant for tenant, partner in self.tenants.items() if partner == partner_id}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(database: Database) -> World:
    made = World()
    for partner_name in ("harborline", "kestrel"):
        async with begin(OperatorScope("test"), database) as session:
            partner = await ensure_partner(session, partner_name, partner_name, {})
            await create_key(
                session,
                given_by="operator",
                label="partner",
                role="partner_admin",
                partner_id=partner.id,
            )
        for retailer_name in ("maple", "loop"):
            async with begin(OperatorScope("test"), database) as session:
                tenant = await ensure_retailer(
                    session, partner.id, retailer_name, retailer_name, "UTC", "USD"
                )
                person = await ensure_person(session, f"{tenant.id}@x.example", retailer_name)
                place = Place(tenant_id=tenant.id)
                await give_role(session, person.id, "retailer_staff", place, given_by="operator")
            made.tenants[tenant.id] = partner.id
            made.people[person.id] = tenant.id
            await fill(database, tenant.id)
        made.channels[partner.id] = new_id()
        await alert_partner(made, database, partner.id)
    async with begin(OperatorScope("test"), database) as session:
        await session.execute(
            "insert into change (tenant_id, id, kind, words, actor)"
            " values ($1, gen_random_uuid(), 'release', 'w', 'operator')",
            EVERYBODYS,
        )
        rows = await session.fetch(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid"
            " where a.attname = 'tenant_id' and c.relkind in ('r', 'p') and not c.relispartition"
            " and c.relnamespace = 'public'::regnamespace order by 1"
        )
    made.tables = [row["relname"] for row in rows]
    return made


async def fill(database: Database, tenant_id: UUID) -> None:
    """Put one row of every kind into a retailer."""
    ids = (tenant_id, new_id(), new_id())
    async with begin(TenantScope(tenant_id, "test"), database) as session:
        for table, values in SEEDS.items():
            await session.execute(f"insert into {table} {values}", *arguments(values, ids))
        await create_key(
            session, given_by="operator", label="till", role="connector", tenant_id=tenant_id
        )
        await record(session, "test.fill", "test:1", {})
    async with begin(EngineScope(), database) as session:
        for table, values in BY_ENGINE.items():
            await session.execute(f"insert into {table} {values}", *arguments(values, ids))


async def alert_partner(world: World, database: Database, partner_id: UUID) -> None:
    """Tell a partner's channel of each of its retailers, and of several at once."""
    channel_id = world.channels[partner_id]
    async with begin(PartnerScope(partner_id, "test"), database) as session:
        await session.execute(
            "insert into alert_channel (id, partner_id, kind, name, address)"
            " values ($1, $2, 'mail', 'p', 'p@x.example')",
            *(channel_id, partner_id),
        )
        for tenant_id in (*world.of_partner(partner_id), EVERYBODYS):
            await session.execute(ALERT_OF_PARTNER, tenant_id, channel_id, partner_id)


def arguments(values: str, ids: tuple[UUID, UUID, UUID]) -> list[UUID | str]:
    """Give the ids that a statement uses, as text where it says so."""
    used = [n for n in range(3) if f"${n + 1}" in values]
    return [str(ids[n]) if f"${n + 1}::text" in values else ids[n] for n in used]


async def test_every_table_of_tenants_takes_part(world: World, database: Database) -> None:
    assert set(world.tables) == {*SEEDS, *BY_ENGINE, *BY_DIRECTORY}

    for tenant_id in world.tenants:
        async with begin(TenantScope(tenant_id), database) as session:
            for table in world.tables:
                assert await session.fetch_value(f"select count(*) from {table}") >= 1, table


async def test_no_random_read_of_a_retailer_gives_a_foreign_row(
    world: World, database: Database
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chosen at random, not secret
    tenants = list(world.tenants)
    own, foreign = 0, 0

    for _ in range(STATEMENTS // PER_TRANSACTION):
        mine = chance.choice(tenants)
        async with begin(TenantScope(mine), database) as session:
            for _ in range(PER_TRANSACTION):
                found = await random_read(session, chance, world, tenants)
                own += found.count(mine)
                foreign += len(found) - found.count(mine)

    assert foreign == 0
    assert own > STATEMENTS // 10


async def random_read(
    session: Session, chance: random.Random, world: World, tenants: list[UUID]
) -> list[UUID]:
    """Ask for rows in one of many ways, and say whose they are."""
    table, other = chance.choice(world.tables), chance.choice(world.tables)
    asked = chance.choice([*tenants, new_id(), UUID(int=0)])
    ways: list[tuple[str, list[object]]] = [
        (f"select tenant_id from {table}", []),
        (f"select tenant_id from {table} where tenant_id = $1", [asked]),
        (f"select tenant_id from {table} where tenant_id <> $1", [asked]),
        (f"select tenant_id from {table} where tenant_id = any ($1)", [tenants]),
        (f"select b.tenant_id from {table} a cross join {other} b", []),
        (f"select b.tenant_id from {table} a right join {other} b on a.tenant_id = $1", [asked]),
        (f"select tenant_id from {table} union all select tenant_id from {other}", []),
        (f"select tenant_id from {table} where true or tenant_id = $1", [asked]),
        (f"select (select max(tenant_id::text)::uuid from {table}) from {other}", []),
        (f"select t.tenant_id from (select * from {table} order by random() limit 5) t", []),
    ]
    sql, args = chance.choice(ways)
    # Of all that is of no retailer, a release among the changes is the only row for a retailer.
    unowned = {None, EVERYBODYS} if "change" in (table, other) else {None}
    return [row[0] for row in await session.fetch(sql, *args) if row[0] not in unowned]


async def test_no_change_of_a_retailer_touches_a_foreign_row(
    world: World, database: Database
) -> None:
    touched, refused = 0, 0

    for mine in world.tenants:
        for table in world.tables:
            for statement in (
                f"update {table} set tenant_id = tenant_id where tenant_id <> $1",
                f"delete from {table} where tenant_id <> $1",
            ):
                try:
                    async with begin(TenantScope(mine), database) as session:
                        touched += await session.execute(statement, mine)
                except asyncpg.InsufficientPrivilegeError:
                    refused += 1

    assert touched == 0
    assert refused > 0
    for tenant_id in world.tenants:
        async with begin(TenantScope(tenant_id), database) as session:
            for table in world.tables:
                assert await session.fetch_value(f"select count(*) from {table}") >= 1, table


@pytest.mark.parametrize("table", SEEDS)
async def test_no_row_can_be_written_for_another_retailer(
    world: World, database: Database, table: str
) -> None:
    mine, *others = world.tenants

    for foreign in others:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with begin(TenantScope(mine), database) as session:
                values = SEEDS[table]
                ids = (foreign, new_id(), new_id())
                await session.execute(f"insert into {table} {values}", *arguments(values, ids))


async def test_partners_and_the_operator_read_no_row_of_a_retailers_work(
    world: World, database: Database
) -> None:
    work = [table for table in world.tables if table not in {*DIRECTORY, *REACHED}]

    scopes: list[PartnerScope | OperatorScope] = [OperatorScope()]
    scopes += [PartnerScope(each) for each in set(world.tenants.values())]

    for scope in scopes:
        async with begin(scope, database) as session:
            for table in work:
                assert await session.fetch(f"select 1 from {table}") == [], table


async def test_a_partner_reads_what_went_wrong_at_its_own_retailers_and_no_others(
    world: World, database: Database
) -> None:
    for partner_id in set(world.tenants.values()):
        async with begin(PartnerScope(partner_id), database) as session:
            seen = {table: await owners_in(session, table) for table in REACHED}
            told = await session.fetch("select distinct partner_id from alert")
            channels = await session.fetch("select id from alert_channel where tenant_id is null")

        mine = world.of_partner(partner_id)
        assert seen == {table: {*mine, *unowned} for table, unowned in REACHED.items()}
        assert {row["partner_id"] for row in told} == {partner_id, None}
        assert {row["id"] for row in channels} == {world.channels[partner_id]}


async def test_the_operator_reads_what_went_wrong_at_all_retailers(
    world: World, database: Database
) -> None:
    async with begin(OperatorScope(), database) as session:
        seen = {table: await owners_in(session, table) for table in REACHED}

    assert seen == {table: {*world.tenants, *unowned} for table, unowned in REACHED.items()}


async def test_a_retailer_reads_nothing_of_what_its_partner_is_told(
    world: World, database: Database
) -> None:
    for mine in world.tenants:
        async with begin(TenantScope(mine), database) as session:
            seen = {table: await owners_in(session, table) for table in REACHED}
            for table in ("alert", "alert_channel"):
                of_partners = f"select 1 from {table} where partner_id is not null"
                assert await session.fetch(of_partners) == [], table

        # Of what is of no retailer it reads the releases of the product, and those only.
        own = {table: {mine} for table in REACHED}
        assert seen == {**own, "change": {mine, EVERYBODYS}}


@pytest.mark.parametrize("table", REACHED)
async def test_no_partner_writes_or_changes_what_went_wrong_at_a_foreign_retailer(
    world: World, database: Database, table: str
) -> None:
    for partner_id in set(world.tenants.values()):
        mine = world.of_partner(partner_id)
        for foreign in {*world.tenants} - mine:
            ids = (foreign, new_id(), new_id())
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                async with begin(PartnerScope(partner_id), database) as session:
                    values = SEEDS[table]
                    await session.execute(f"insert into {table} {values}", *arguments(values, ids))
        for statement in (
            f"update {table} set tenant_id = tenant_id where tenant_id <> all ($1)",
            f"delete from {table} where tenant_id <> all ($1)",
        ):
            touched = 0
            with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
                async with begin(PartnerScope(partner_id), database) as session:
                    touched = await session.execute(statement, list(mine))
            assert touched == 0, statement


async def test_no_alert_goes_to_a_foreign_channel_or_tells_of_a_foreign_retailer(
    world: World, database: Database
) -> None:
    partner_id, other = sorted(world.channels)
    mine, foreign = min(world.of_partner(partner_id)), min(world.of_partner(other))
    own_channel, foreign_channel = world.channels[partner_id], world.channels[other]

    forged: list[tuple[PartnerScope | TenantScope, tuple[UUID, UUID, UUID | None]]] = [
        (PartnerScope(partner_id), (foreign, own_channel, partner_id)),
        (PartnerScope(partner_id), (foreign, foreign_channel, partner_id)),
        (PartnerScope(partner_id), (mine, foreign_channel, partner_id)),
        (PartnerScope(partner_id), (EVERYBODYS, foreign_channel, partner_id)),
        (PartnerScope(partner_id), (mine, own_channel, other)),
        (TenantScope(mine), (mine, own_channel, None)),
        (TenantScope(mine), (mine, foreign_channel, None)),
        (TenantScope(mine), (mine, own_channel, partner_id)),
        (TenantScope(mine), (EVERYBODYS, own_channel, None)),
    ]

    for scope, alert in forged:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with begin(scope, database) as session:
                await session.execute(ALERT_OF_PARTNER, *alert)


async def test_a_retailer_sees_itself_and_its_own_in_the_directory(
    world: World, database: Database
) -> None:
    for tenant_id, partner_id in world.tenants.items():
        async with begin(TenantScope(tenant_id), database) as session:
            seen = {table: await ids_in(session, table) for table in DIRECTORY}

        assert seen["tenant"] == {tenant_id}
        assert seen["partner"] == {partner_id}
        assert seen["person"] == {p for p, tenant in world.people.items() if tenant == tenant_id}
        assert (len(seen["membership"]), len(seen["api_key"])) == (1, 1)


async def test_a_partner_sees_its_own_retailers_and_no_other_partners(
    world: World, database: Database
) -> None:
    for partner_id in set(world.tenants.values()):
        async with begin(PartnerScope(partner_id), database) as session:
            seen = {table: await ids_in(session, table) for table in DIRECTORY}

        mine = world.of_partner(partner_id)
        assert seen["tenant"] == mine
        assert seen["partner"] == {partner_id}
        assert seen["person"] == {p for p, tenant in world.people.items() if tenant in mine}
        assert (len(seen["membership"]), len(seen["api_key"])) == (2, 3)


async def test_a_partner_cannot_take_or_change_a_foreign_retailer(
    world: World, database: Database
) -> None:
    mine, foreign = sorted(set(world.tenants.values()))
    async with begin(PartnerScope(mine), database) as session:
        touched = await session.execute(
            "update tenant set name = 'taken' where partner_id = $1", foreign
        )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with begin(PartnerScope(mine), database) as session:
            await session.execute("update tenant set partner_id = $1", foreign)

    assert touched == 0
    async with begin(PartnerScope(foreign), database) as session:
        assert await ids_in(session, "tenant") == world.of_partner(foreign)


async def ids_in(session: Session, table: str) -> set[UUID]:
    return {row["id"] for row in await session.fetch(f"select id from {table}")}


async def owners_in(session: Session, table: str) -> set[UUID | None]:
    return {row["tenant_id"] for row in await session.fetch(f"select tenant_id from {table}")}
