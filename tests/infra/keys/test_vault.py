"""Data keys against a real PostgreSQL: made once, rewrapped, erased, never another retailer's."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import time_machine

from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import begin
from infra.errors import Conflict
from infra.ids import new_id
from infra.keys import vault as vault_module
from infra.keys.master import MasterKey, MasterKeys, MasterKeyUnknown, WrapBroken
from infra.keys.vault import CACHED_FOR_S, KeyErased, SealBroken, Vault, period_of

OLD, NEW = MasterKey(secrets.token_bytes(32)), MasterKey(secrets.token_bytes(32))
OCTOBER, NOVEMBER = "2026-10-15T12:00:00Z", "2026-11-15T12:00:00Z"


_ADD_CONNECTION = (
    "insert into connection (tenant_id, id, name, connector) values ($1, $2, $3, 'http')"
)
_ADD_SECRET = (
    "insert into connection_secret (tenant_id, connection_id, field, sealed, period)"
    " values ($1, $2, $3, $4, $5)"
)
_MOVE_SECRET = (
    "update connection_secret set sealed = $4"
    " where tenant_id = $1 and connection_id = $2 and field = $3"
)
_READ_SECRET = (
    "select sealed, period from connection_secret where connection_id = $1 and field = $2"
)


def a_vault(database: Database, *masters: MasterKey) -> Vault:
    """A vault with an empty memory, as another process would have."""
    newest, *others = masters or (OLD,)
    return Vault(database, MasterKeys(newest, others))


@asynccontextmanager
async def as_intruder(owner_url: str, table: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """Someone with the owner's password, who first lifts the row-level security of a table."""
    owner = await asyncpg.connect(owner_url)
    try:
        await owner.execute(f"alter table {table} no force row level security")
        yield owner
    finally:
        await owner.execute(f"alter table {table} force row level security")
        await owner.close()


async def stored_keys(database: Database, tenant_id: UUID) -> list[tuple[int, str]]:
    async with begin(TenantScope(tenant_id), database) as session:
        rows = await session.fetch("select period, master_key_id from data_key order by period")
    return [(row["period"], row["master_key_id"]) for row in rows]


async def test_the_key_of_the_month_is_made_once_and_found_by_another_process(
    database: Database,
) -> None:
    tenant_id = new_id()
    key = await a_vault(database).current(tenant_id)
    sealed = key.seal("event|1", b"sale")

    again = await a_vault(database).of(tenant_id, key.period)

    assert again.open("event|1", sealed) == b"sale"
    assert await stored_keys(database, tenant_id) == [(period_of(clock.now()), OLD.id)]


async def test_processes_that_need_the_first_key_at_once_get_the_same(database: Database) -> None:
    tenant_id = new_id()
    vaults = [a_vault(database) for _ in range(6)]

    keys = await asyncio.gather(*(vault.current(tenant_id) for vault in vaults))

    sealed = keys[0].seal("event|1", b"sale")
    assert [key.open("event|1", sealed) for key in keys] == [b"sale"] * 6
    assert len(await stored_keys(database, tenant_id)) == 1


async def test_a_crowd_in_one_process_asks_for_a_key_once(database: Database) -> None:
    tenant_id = new_id()
    vault = a_vault(database)

    keys = await asyncio.gather(*(vault.current(tenant_id) for _ in range(200)))

    assert all(key is keys[0] for key in keys)


async def test_a_new_month_has_a_new_key_and_the_old_one_still_opens(database: Database) -> None:
    tenant_id = new_id()
    vault = a_vault(database)
    with time_machine.travel(OCTOBER, tick=False):
        october = await vault.current(tenant_id)
        sealed = october.seal("event|1", b"sale")
    with time_machine.travel(NOVEMBER, tick=False):
        november = await vault.current(tenant_id)

    assert (october.period, november.period) == (202610, 202611)
    with pytest.raises(SealBroken):
        november.open("event|1", sealed)
    assert (await vault.of(tenant_id, 202610)).open("event|1", sealed) == b"sale"


async def test_two_retailers_secrets_swapped_in_the_database_do_not_open(
    database: Database, database_urls: tuple[str, str]
) -> None:
    vault = a_vault(database)
    places = {}
    for tenant_id in (new_id(), new_id()):
        for connection_id in (new_id(), new_id()):
            key = await vault.current(tenant_id)
            async with begin(TenantScope(tenant_id), database) as session:
                await session.execute(_ADD_CONNECTION, tenant_id, connection_id, connection_id.hex)
                for field in ("token", "password"):
                    context = f"connection_secret|{connection_id}|{field}"
                    sealed = key.seal(context, f"{connection_id}{field}".encode())
                    places[tenant_id, connection_id, field] = sealed
                    row = (tenant_id, connection_id, field, sealed, key.period)
                    await session.execute(_ADD_SECRET, *row)

    opened, refused = 0, 0
    for shift in range(len(places)):
        rows = list(places)
        moved = list(places.values())[shift:] + list(places.values())[:shift]
        async with as_intruder(database_urls[0], "connection_secret") as intruder:
            for place, sealed in zip(rows, moved, strict=True):
                status = await intruder.execute(_MOVE_SECRET, *place, sealed)
                assert status == "UPDATE 1"
        for tenant_id, connection_id, field in rows:
            async with begin(TenantScope(tenant_id), database) as session:
                stored = await session.fetch_one(_READ_SECRET, connection_id, field)
            assert stored is not None
            key = await vault.of(tenant_id, stored["period"])
            try:
                key.open(f"connection_secret|{connection_id}|{field}", stored["sealed"])
                opened += 1
            except SealBroken:
                refused += 1

    assert (opened, refused) == (8, 8 * 7)


async def test_two_retailers_data_keys_swapped_in_the_database_do_not_open(
    database: Database, database_urls: tuple[str, str]
) -> None:
    mine, foreign = new_id(), new_id()
    period = (await a_vault(database).current(mine)).period
    await a_vault(database).current(foreign)
    async with as_intruder(database_urls[0], "data_key") as intruder:
        status = await intruder.execute(
            "update data_key set wrapped = (select wrapped from data_key where tenant_id = $2)"
            " where tenant_id = $1",
            mine,
            foreign,
        )
    assert status == "UPDATE 1"

    with pytest.raises(WrapBroken):
        await a_vault(database).of(mine, period)


async def test_rewrapping_keeps_everything_readable_and_frees_the_old_master_key(
    database: Database,
) -> None:
    tenant_id = new_id()
    sealed = {}
    for month in (OCTOBER, NOVEMBER):
        with time_machine.travel(month, tick=False):
            key = await a_vault(database, OLD).current(tenant_id)
            sealed[key.period] = key.seal("event|1", month.encode())

    moved = await a_vault(database, NEW, OLD).rewrap(tenant_id)
    moved_again = await a_vault(database, NEW, OLD).rewrap(tenant_id)

    assert (moved, moved_again) == (2, 0)
    assert await stored_keys(database, tenant_id) == [(202610, NEW.id), (202611, NEW.id)]
    only_new = a_vault(database, NEW)
    for month, period in ((OCTOBER, 202610), (NOVEMBER, 202611)):
        opened = (await only_new.of(tenant_id, period)).open("event|1", sealed[period])
        assert opened == month.encode()


async def test_keys_are_readable_while_they_are_rewrapped(database: Database) -> None:
    tenant_id = new_id()
    key = await a_vault(database, OLD).current(tenant_id)
    sealed = key.seal("event|1", b"sale")

    readers = [a_vault(database, OLD, NEW).of(tenant_id, key.period) for _ in range(20)]
    rewraps = [a_vault(database, NEW, OLD).rewrap(tenant_id) for _ in range(4)]
    found, moved = await asyncio.gather(asyncio.gather(*readers), asyncio.gather(*rewraps))

    assert [each.open("event|1", sealed) for each in found] == [b"sale"] * 20
    assert sum(moved) == 1


async def test_rewrapping_without_the_old_master_key_changes_nothing(database: Database) -> None:
    tenant_id = new_id()
    await a_vault(database, OLD).current(tenant_id)

    with pytest.raises(MasterKeyUnknown):
        await a_vault(database, NEW).rewrap(tenant_id)

    assert await stored_keys(database, tenant_id) == [(period_of(clock.now()), OLD.id)]


async def test_a_process_with_the_wrong_master_key_says_which_it_needs(database: Database) -> None:
    tenant_id = new_id()
    await a_vault(database, OLD).current(tenant_id)

    with pytest.raises(MasterKeyUnknown, match=OLD.id):
        await a_vault(database, NEW).current(tenant_id)


async def test_an_erased_month_is_unreadable_and_the_others_are_not(database: Database) -> None:
    tenant_id = new_id()
    vault = a_vault(database)
    for month in (OCTOBER, NOVEMBER):
        with time_machine.travel(month, tick=False):
            await vault.current(tenant_id)

    with time_machine.travel(NOVEMBER, tick=False):
        assert await vault.erase(tenant_id, 202610) is True
        assert await vault.erase(tenant_id, 202610) is False

    with pytest.raises(KeyErased, match="month 202610 was erased"):
        await vault.of(tenant_id, 202610)
    assert (await vault.of(tenant_id, 202611)).period == 202611


async def test_another_process_forgets_an_erased_month_within_five_minutes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant_id = new_id()
    other = a_vault(database)
    with time_machine.travel(OCTOBER, tick=False):
        await other.current(tenant_id)
    await a_vault(database).erase(tenant_id, 202610)
    later_s = clock.monotonic_s() + CACHED_FOR_S + 1

    assert (await other.of(tenant_id, 202610)).period == 202610
    monkeypatch.setattr(clock, "monotonic_s", lambda: later_s)
    with pytest.raises(KeyErased):
        await other.of(tenant_id, 202610)


async def test_the_month_in_use_cannot_be_erased(database: Database) -> None:
    tenant_id = new_id()
    vault = a_vault(database)
    period = (await vault.current(tenant_id)).period

    with pytest.raises(Conflict, match="not over"):
        await vault.erase(tenant_id, period)

    assert len(await stored_keys(database, tenant_id)) == 1


async def test_an_open_transaction_can_read_a_key_through_its_own_connection(
    database: Database,
) -> None:
    tenant_id = new_id()
    period = (await a_vault(database).current(tenant_id)).period

    async def read_inside(vault: Vault) -> int:
        async with begin(TenantScope(tenant_id), database) as session:
            return (await vault.of(tenant_id, period, session)).period

    # Twice as many as the pool has connections: none may wait for a second one.
    found = await asyncio.gather(*(read_inside(a_vault(database)) for _ in range(16)))

    assert found == [period] * 16


async def test_a_session_of_another_scope_does_not_make_a_key_look_erased(
    database: Database,
) -> None:
    tenant_id = new_id()
    period = (await a_vault(database).current(tenant_id)).period

    for scope in (TenantScope(new_id()), EngineScope()):
        async with begin(scope, database) as session:
            assert (await a_vault(database).of(tenant_id, period, session)).period == period


async def test_memory_is_bounded_and_drops_the_key_unused_for_longest(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_module, "MOST_CACHED", 3)
    vault = a_vault(database)
    tenants = [new_id() for _ in range(4)]
    first = [await vault.current(tenant_id) for tenant_id in tenants[:3]]
    assert await vault.current(tenants[0]) is first[0]

    await vault.current(tenants[3])

    assert await vault.current(tenants[0]) is first[0]
    assert await vault.current(tenants[1]) is not first[1]


async def test_data_keys_cannot_be_changed_by_the_application(database: Database) -> None:
    tenant_id = new_id()
    await a_vault(database).current(tenant_id)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with begin(TenantScope(tenant_id), database) as session:
            await session.execute("update data_key set period = 200001")


async def test_a_key_made_in_a_block_that_fails_is_still_stored(database: Database) -> None:
    tenant_id = new_id()
    vault = a_vault(database)

    with pytest.raises(ZeroDivisionError):
        async with begin(TenantScope(tenant_id), database) as session:
            await vault.current(tenant_id, session)
            _ = 1 / 0

    assert len(await stored_keys(database, tenant_id)) == 1
