"""A record that is lost on purpose is missed by the books within one check, and found again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from app.health.check_books import check_books
from app.pipeline.prepare import LOSE_DELIVERY
from app.pipeline.write import effect_key
from infra.ids import new_id
from tests.scenarios.told import KeepingTarget
from tests.scenarios.wholesaler import STOCK, Wholesaler, open_wholesaler, stock_event
from tests.stage import Stage, order_event

TABLES = ("message", "event", "delivery", "receipt")


@pytest.fixture
async def shop(stage: Stage, target: KeepingTarget) -> Wholesaler:
    return await open_wholesaler(stage, target)


@asynccontextmanager
async def as_owner(url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """Someone with the owner's password, who lifts row-level security and triggers first."""
    owner = await asyncpg.connect(url)
    lift = "alter table {0} no force row level security; alter table {0} disable trigger user"
    guard = "alter table {0} enable trigger user; alter table {0} force row level security"
    try:
        for table in (*TABLES, "lane"):
            await owner.execute(lift.format(table))
        yield owner
    finally:
        for table in (*TABLES, "lane"):
            await owner.execute(guard.format(table))
        await owner.close()


async def test_a_delivery_that_was_never_written_is_missed_within_one_check_and_found_when_restored(
    shop: Wholesaler, database_urls: tuple[str, str]
) -> None:
    await shop.accept(*[order_event(n) for n in range(1, 6)])
    async with shop.stage.engine(faults=LOSE_DELIVERY):
        delivered = "select count(*) from delivery where state = 'delivered'"
        await shop.stage.until(shop.retailer, delivered, 4)

    checked = await check_books(shop.stage.database)
    ledger = await shop.stage.ledger(shop.retailer)

    # Once as a record of its connection, once as a delivery of its flow.
    assert (checked.unaccounted, ledger.unaccounted) == (2, 2)
    assert [(line.kind, line.balance.unaccounted) for line in ledger.lines] == [
        ("connection", 1),
        ("flow", 1),
    ]
    assert await _written_down(shop) == [1, 1]

    async with as_owner(database_urls[0]) as owner:
        await _restore_delivery(shop, owner)
    await shop.work()

    assert (await check_books(shop.stage.database)).unaccounted == 0
    assert (await shop.fates(), await shop.unaccounted()) == ({"delivered": 5}, 0)
    assert await _written_down(shop) == [0, 0]


@pytest.mark.parametrize(
    ("table", "missed"), [("message", 1), ("event", 1), ("delivery", 2), ("receipt", 1)]
)
async def test_a_row_deleted_behind_our_back_is_missed_and_restoring_it_balances_the_books(
    shop: Wholesaler, database_urls: tuple[str, str], table: str, missed: int
) -> None:
    await shop.accept(*[order_event(n) for n in range(1, 6)])
    await shop.work()
    assert (await check_books(shop.stage.database)).unaccounted == 0

    async with as_owner(database_urls[0]) as owner:
        kept = await _delete_one(shop, owner, table)
        checked = await check_books(shop.stage.database)
        ledger = await shop.stage.ledger(shop.retailer)
        await owner.execute(kept)

    assert (checked.unaccounted, ledger.unaccounted) == (missed, missed)
    assert (await check_books(shop.stage.database)).unaccounted == 0
    assert (await shop.fates(), await shop.unaccounted()) == ({"delivered": 5}, 0)


async def test_a_loss_at_one_connection_is_not_hidden_by_a_surplus_at_another(
    shop: Wholesaler, database_urls: tuple[str, str]
) -> None:
    await shop.stage.connect(shop.retailer, "second", "http")
    await shop.stage.flow(shop.retailer, "second", "target")
    await shop.accept(*[order_event(n) for n in range(1, 6)])
    await shop.stage.accept(shop.retailer, "second", *[order_event(n) for n in range(6, 11)])
    await shop.work()

    async with as_owner(database_urls[0]) as owner:
        message = await _delete_one(shop, owner, "message", source="source")
        receipt = await _delete_one(shop, owner, "receipt", source="second")
        ledger = await shop.stage.ledger(shop.retailer)
        await owner.execute(message)
        await owner.execute(receipt)

    assert (ledger.total.unaccounted, ledger.unaccounted) == (0, 2)
    assert await shop.unaccounted() == 0


async def test_books_of_a_busy_mixture_balance_at_every_moment(
    stage: Stage, target: KeepingTarget
) -> None:
    shop = await open_wholesaler(stage, target)
    await stage.flow(shop.retailer, "source", "target", types=[STOCK], ordering="latest_wins")
    shop.down(errors=0.1, lost=0.05)
    differences = []

    async with stage.engine(retry_scale=500.0):
        for lot in range(8):
            orders = [order_event(10 * lot + n, is_test=n == 3) for n in range(10)]
            broken = {**order_event(1000 + lot), "type": "retail.order.unknown.v9"}
            await shop.accept(*orders, broken, *[stock_event(10 * lot + n) for n in range(1, 11)])
            differences.append(await shop.unaccounted())
        await stage.rests(shop.retailer)

    assert differences == [0] * 8
    fates = await shop.fates()
    assert (fates["skipped"], fates["delivered"] + fates["superseded"]) == (8, 72 + 80)
    assert (await shop.stage.ledger(shop.retailer)).total.held == 8
    assert await shop.unaccounted() == 0


async def _written_down(shop: Wholesaler) -> list[int]:
    rows = await shop.stage.rows(
        shop.retailer,
        "select unaccounted from book_hour union all select unaccounted from flow_hour",
    )
    return [int(row["unaccounted"]) for row in rows]


async def _delete_one(
    shop: Wholesaler, owner: asyncpg.Connection[Any], table: str, source: str = ""
) -> str:
    """Delete one row of a table, of one source if named; gives the statement to bring it back."""
    name = f"kept_{new_id().hex}"
    key = "message_id" if table == "receipt" else "id"
    of = f"tenant_id = '{shop.retailer.tenant_id}'"
    at = f"and connection_id = '{shop.retailer.connections[source]}'" if source else ""
    chosen = f"(select {key} from {table} where {of} {at} order by {key} limit 1)"
    await owner.execute(
        f"create table {name} as select * from {table} where {of} and {key} = {chosen}"
    )
    gone = await owner.execute(f"delete from {table} where {of} and {key} = {chosen}")
    assert gone == "DELETE 1"
    columns = await owner.fetchval(
        "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute"
        " where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
        table,
    )
    back = f"insert into {table} ({columns}) overriding system value select {columns} from {name}"
    return f"{back}; drop table {name}"


async def _restore_delivery(shop: Wholesaler, owner: asyncpg.Connection[Any]) -> None:
    """Write the row that was lost, at its place in its lane."""
    tenant_id = shop.retailer.tenant_id
    lost = await owner.fetchrow(
        "select e.id, e.message_id, e.connection_id, e.routed_to[1] as flow_id, e.accepted_at,"
        " l.connection_id as target_id, l.lane_hash, l.next_seq - 1 as seq"
        " from event e join lane l on l.tenant_id = e.tenant_id and l.label = e.key"
        " where e.tenant_id = $1"
        " and not exists (select 1 from delivery d where d.event_id = e.id)",
        tenant_id,
    )
    assert lost is not None
    await owner.execute(
        "insert into delivery (tenant_id, id, event_id, message_id, flow_id, source_connection_id,"
        " connection_id, lane_hash, seq, class, state, effect_key, accepted_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 'ready', $10, $11)",
        tenant_id,
        new_id(),
        lost["id"],
        lost["message_id"],
        lost["flow_id"],
        lost["connection_id"],
        lost["target_id"],
        lost["lane_hash"],
        lost["seq"],
        effect_key(tenant_id, lost["flow_id"], lost["id"]),
        lost["accepted_at"],
    )
    # The empty lane rests a minute before it is looked at again; a sweep would come first.
    await owner.execute("update lane set ready_at = now() where ready_at is not null")
