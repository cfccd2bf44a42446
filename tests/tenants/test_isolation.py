"""Two partners with two retailers each: no scope ever gets or touches a foreign row."""

from __future__ import annotations

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

SEED = 20_261_127
STATEMENTS = 10_000  # P21
PER_TRANSACTION = 100

# $1 tenant, $2 connection, $3 any other id of the row, in the order in which rows refer.
SEEDS = {
    "connection": "(tenant_id, id, name, connector) values ($1, $2, $3::text, 'http')",
    "connection_secret": (
        "(tenant_id, connection_id, field, sealed, period) values ($1, $2, $3::text, 'x', 202611)"
    ),
    "connection_health": "(tenant_id, connection_id, reason) values ($1, $2, $3::text)",
    "flow": (
        "(tenant_id, id, name, source_connection_id, target_connection_id, event_types, action)"
        " values ($1, $3, 'f', $2, $2, '{order.placed}', 'create')"
    ),
    "poll_cursor": "(tenant_id, connection_id, stream) values ($1, $2, $3::text)",
    "data_key": (
        "(tenant_id, period, wrapped, master_key_id)"
        " values ($1, 202611, sha256($2::uuid::text::bytea), $3::uuid::text)"
    ),
    "hook_token": (
        "(token_hash, tenant_id, connection_id) values (sha256($3::uuid::text::bytea), $1, $2)"
    ),
    "receipt": "values ($1, $2, sha256($3::uuid::text::bytea), $3, sha256('x'), now())",
    "message": (
        "(tenant_id, id, connection_id, topic, size_bytes, received_at)"
        " values ($1, $3, $2, 'orders', 1, now())"
    ),
    "message_body": (
        "(tenant_id, message_id, sealed, period, body_sha256)"
        " values ($1, $3, $2::uuid::text::bytea, 202611, sha256('x'))"
    ),
    "file": (
        "(tenant_id, id, connection_id, name, sha256, size_bytes, state, received_at)"
        " values ($1, $3, $2, 'f.csv', sha256('x'), 1, 'read', now())"
    ),
    "idempotency_key": (
        "(tenant_id, key_hash, fingerprint, status, answer)"
        " values ($1, sha256($2::uuid::text::bytea), sha256($3::uuid::text::bytea), 202, '{}')"
    ),
    "event": (
        "(tenant_id, id, message_id, connection_id, type, contract, key, object_id, label,"
        " occurred_at, sealed, period, accepted_at)"
        " values ($1, $3, $3, $2, 'order.placed', 'order/1', 'k', 'o', 'l', now(), 'x', 202611, now())"
    ),
    "fact": ("values ($1, $2, sha256($3::uuid::text::bytea), sha256('x'), $3)"),
    "lane": (
        "(tenant_id, connection_id, lane_hash, label) values ($1, $2, sha256('l'), $3::uuid::text)"
    ),
    "delivery": (
        "(tenant_id, id, event_id, message_id, flow_id, source_connection_id, connection_id,"
        " lane_hash, seq, class, state, effect_key, accepted_at)"
        " values ($1, $3, $3, $3, $3, $2, $2, sha256('l'), 1, 1, 'ready', 'e', now())"
    ),
    "attempt": (
        "(tenant_id, id, delivery_id, number, started_at, took_ms, outcome, worker, lease_token)"
        " values ($1, $2, $3, 1, now(), 5, 'delivered', 'w', 1)"
    ),
    "hold": (
        "(tenant_id, id, message_id, connection_id, code, words)"
        " values ($1, $3, $3, $2, 'contract.missing', 'w')"
    ),
    "usage_fact": (
        "(tenant_id, kind, business_key, delivery_id) values ($1, 'order', $2::uuid::text, $3)"
    ),
}
BY_ENGINE = {
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


@dataclass
class World:
    """What exists and whose it is."""

    tenants: dict[UUID, UUID] = field(default_factory=dict)  # retailer -> partner
    people: dict[UUID, UUID] = field(default_factory=dict)  # person -> retailer
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
    async with begin(OperatorScope("test"), database) as session:
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


def arguments(values: str, ids: tuple[UUID, UUID, UUID]) -> list[UUID | str]:
    """Give the ids that a statement uses, as text where it says so."""
    return [str(ids[n]) if f"${n + 1}::text" in values else ids[n] for n in range(3)]


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
    return [row[0] for row in await session.fetch(sql, *args) if row[0] is not None]


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
    work = [table for table in world.tables if table not in DIRECTORY]

    scopes: list[PartnerScope | OperatorScope] = [OperatorScope()]
    scopes += [PartnerScope(each) for each in set(world.tenants.values())]

    for scope in scopes:
        async with begin(scope, database) as session:
            for table in work:
                assert await session.fetch(f"select 1 from {table}") == [], table


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
