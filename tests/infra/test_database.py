"""The unit of work and the roles, against a real PostgreSQL."""

from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy import text

from infra.database.pool import Database, RoleTooPowerful, open_database
from infra.database.scope import EngineScope, GateScope, IntakeScope, OperatorScope, TenantScope
from infra.database.unit import begin
from infra.ids import Id, new_id


async def a_tenant(database: Database) -> Id:
    """Make a partner with one retailer."""
    partner_id, tenant_id = new_id(), new_id()
    async with begin(OperatorScope(), database) as session:
        await session.execute(
            "insert into partner (id, slug, name) values ($1, $2, 'P')", partner_id, partner_id.hex
        )
        await session.execute(
            "insert into tenant (id, partner_id, slug, name) values ($1, $2, 't', 'T')",
            tenant_id,
            partner_id,
        )
    return tenant_id


async def add_connection(database: Database, tenant_id: Id) -> Id:
    """Make one connection of a retailer."""
    connection_id = new_id()
    async with begin(TenantScope(tenant_id), database) as session:
        await session.execute(
            "insert into connection (tenant_id, id, name, connector) values ($1, $2, 'shop', 'http')",
            tenant_id,
            connection_id,
        )
    return connection_id


async def test_a_tenant_sees_its_own_rows_and_never_another_tenants(database: Database) -> None:
    mine, foreign = await a_tenant(database), await a_tenant(database)
    await add_connection(database, mine)
    await add_connection(database, foreign)

    async with begin(TenantScope(mine), database) as session:
        rows = await session.fetch("select tenant_id from connection")

    assert [row["tenant_id"] for row in rows] == [mine]


async def test_a_row_cannot_be_written_for_another_tenant(database: Database) -> None:
    mine, foreign = await a_tenant(database), await a_tenant(database)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with begin(TenantScope(mine), database) as session:
            await session.execute(
                "insert into connection (tenant_id, id, name, connector) values ($1, $2, 'x', 'http')",
                foreign,
                new_id(),
            )

    async with begin(TenantScope(foreign), database) as session:
        assert await session.fetch("select 1 from connection") == []


async def test_a_scope_ends_with_its_transaction(database: Database) -> None:
    tenant_id = await a_tenant(database)
    async with begin(TenantScope(tenant_id), database) as session:
        assert await session.fetch_value("select count(*) from tenant") == 1

    async with database.connection() as connection:
        role = await connection.fetchval("select current_user")
        setting = await connection.fetchval(
            "select nullif(current_setting('app.tenant_id', true), '')"
        )

    assert role == "tillwire_login"
    assert setting is None


async def test_outside_a_scope_nothing_can_be_read(database: Database) -> None:
    async with database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("select 1 from tenant")


@pytest.mark.parametrize("table", ["message_body", "event", "connection_secret", "data_key"])
@pytest.mark.parametrize("scope", [EngineScope(), GateScope(), IntakeScope((new_id(),))])
async def test_roles_across_tenants_read_no_payload(
    database: Database, table: str, scope: EngineScope | GateScope | IntakeScope
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with begin(scope, database) as session:
            await session.fetch(f"select * from {table}")


async def test_intake_writes_only_for_the_tenants_it_lists(database: Database) -> None:
    listed, other = new_id(), new_id()
    receipt = "insert into receipt values ($1, $2, sha256('x'), $3, sha256('x'), now())"

    async with begin(IntakeScope((listed,)), database) as session:
        await session.execute(receipt, listed, new_id(), new_id())
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with begin(IntakeScope((listed,)), database) as session:
            await session.execute(receipt, other, new_id(), new_id())

    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(
            "select tenant_id from receipt where tenant_id = any($1)", [listed, other]
        )
    assert [row["tenant_id"] for row in rows] == [listed]


@pytest.mark.parametrize("table", ["message", "delivery", "audit", "receipt"])
async def test_no_role_may_empty_or_delete_from_the_book(database: Database, table: str) -> None:
    tenant_id = await a_tenant(database)
    for scope in (TenantScope(tenant_id), EngineScope()):
        for statement in (f"truncate {table}", f"delete from {table}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with begin(scope, database) as session:
                    await session.execute(statement)


async def test_a_failing_block_leaves_nothing_behind(database: Database) -> None:
    tenant_id = await a_tenant(database)
    await add_connection(database, tenant_id)

    with pytest.raises(ZeroDivisionError):
        async with begin(TenantScope(tenant_id), database) as session:
            await session.execute("update connection set title = 'changed'")
            _ = 1 / 0

    async with begin(TenantScope(tenant_id), database) as session:
        assert await session.fetch_value("select title from connection") == ""


async def test_a_value_that_fits_no_column_is_a_fault_and_not_a_book_that_is_away(
    database: Database,
) -> None:
    with pytest.raises(asyncpg.DataError, match="out of int32 range"):
        async with begin(EngineScope(), database) as session:
            await session.fetch_value("select $1::int4", 2**40)

    async with begin(EngineScope(), database) as session:
        assert await session.fetch_value("select 1") == 1


async def test_the_orm_shares_the_transaction_of_the_unit_of_work(database: Database) -> None:
    tenant_id = await a_tenant(database)
    await add_connection(database, tenant_id)
    title = "select title from connection"

    with pytest.raises(ZeroDivisionError):
        async with begin(TenantScope(tenant_id), database) as session:
            orm = await session.orm()
            await orm.execute(text("update connection set title = 'by orm'"))
            assert await session.fetch_value(title) == "by orm"
            _ = 1 / 0

    async with begin(TenantScope(tenant_id), database) as session:
        orm = await session.orm()
        assert (await orm.execute(text(title))).scalar_one() == ""


async def test_json_stays_text_on_a_connection_that_the_orm_has_used(database: Database) -> None:
    tenant_id = await a_tenant(database)
    await add_connection(database, tenant_id)

    async with begin(TenantScope(tenant_id), database) as session:
        await session.orm()
        settings = await session.fetch_value("select settings from connection")

    assert settings == "{}"


@pytest.mark.parametrize(
    "change",
    [
        "update tenant set state = 'active'",
        "update tenant set partner_id = partner_id",
        "update partner set name = 'mine now'",
    ],
)
async def test_a_retailer_cannot_change_its_own_standing(database: Database, change: str) -> None:
    tenant_id = await a_tenant(database)

    async with begin(TenantScope(tenant_id), database) as session:
        assert await session.execute(change) == 0


async def test_entitlements_are_written_by_nobody_who_uses_them(database: Database) -> None:
    for scope in (OperatorScope(), TenantScope(await a_tenant(database))):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with begin(scope, database) as session:
                await session.execute("update tenant set entitlements = '{}'")


async def test_the_product_refuses_to_start_as_the_owner_of_its_tables(
    database_urls: tuple[str, str], database: Database
) -> None:
    with pytest.raises(RoleTooPowerful):
        await open_database(database_urls[0])


async def test_an_illegal_move_of_a_message_is_refused_by_the_database(database: Database) -> None:
    tenant_id, message_id = await a_tenant(database), new_id()
    async with begin(TenantScope(tenant_id), database) as session:
        await session.execute(
            "insert into message (tenant_id, id, connection_id, topic, state, size_bytes, received_at)"
            " values ($1, $2, $3, 't', 'discarded', 1, now())",
            tenant_id,
            message_id,
            new_id(),
        )

    with pytest.raises(asyncpg.CheckViolationError):
        async with begin(TenantScope(tenant_id), database) as session:
            await session.execute("update message set state = 'received' where id = $1", message_id)
