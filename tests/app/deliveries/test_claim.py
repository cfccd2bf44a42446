"""Claims over many retailers: the most urgent first, everybody in turn, nothing overlooked."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import asyncpg
import pytest_asyncio

from app.deliveries import look as looking
from app.deliveries.claim import ClaimedLane, Fairness, claim
from app.deliveries.look import LOOKS_PER_CLASS, SOURCES_PER_CLASS, START, look
from infra.database.pool import Database
from infra.database.scope import EngineScope, OperatorScope
from infra.database.unit import begin
from infra.ids import new_id


class Book:
    """Lanes in a real book, written by its owner: who, how many, of which class, due in how long."""

    def __init__(self, owner: asyncpg.Connection[asyncpg.Record], database: Database) -> None:
        self._owner = owner
        self.database = database
        self.tenants: list[UUID] = []

    async def open(self, tenants: int) -> None:
        """Make retailers; the numbers of tests are places in the order of their ids."""
        partner = new_id()
        made = [new_id() for _ in range(tenants)]
        async with begin(OperatorScope("test"), self.database) as session:
            await session.execute(
                "insert into partner (id, slug, name) values ($1, $2, 'Partner')",
                partner,
                partner.hex,
            )
            for tenant in made:
                await session.execute(
                    "insert into tenant (id, partner_id, slug, name) values ($1, $2, $3, 'Shop')",
                    tenant,
                    partner,
                    tenant.hex,
                )
        self.tenants = sorted(made)

    async def lanes(self, tenant: int, count: int, class_: int = 0, due: str = "now()") -> None:
        """Let lanes wait; `due` is SQL."""
        await self._owner.execute(
            "insert into lane (tenant_id, connection_id, lane_hash, label, class, next_seq, open_count,"
            f" ready_at) select $1, $1, uuid_send(gen_random_uuid()), 'lane', $2, 2, 1, {due}"
            " from generate_series(1, $3)",
            self.tenants[tenant],
            class_,
            count,
        )

    async def take(self, slots: int, fairness: Fairness | None = None) -> Sequence[ClaimedLane]:
        return (
            await claim(self.database, worker="w", lease_s=30, lanes=slots, fairness=fairness)
        ).lanes

    def by_tenant(self, lanes: Sequence[ClaimedLane]) -> Counter[int]:
        return Counter(self.tenants.index(lane.key[0]) for lane in lanes)


@pytest_asyncio.fixture
async def book(database: Database, database_urls: tuple[str, str]) -> AsyncIterator[Book]:
    owner = await asyncpg.connect(database_urls[0])
    await owner.execute("alter table lane no force row level security")
    await owner.execute("delete from lane")
    yield Book(owner, database)
    await owner.execute("delete from lane")
    await owner.execute("alter table lane force row level security")
    await owner.close()


async def test_paid_orders_of_one_come_before_bulk_of_another(book: Book) -> None:
    await book.open(2)
    await book.lanes(0, 500, class_=3)
    await book.lanes(1, 6, class_=0)

    taken = await book.take(64)

    assert Counter(lane.class_ for lane in taken) == {0: 6, 3: 16}


async def test_a_flood_leaves_every_other_retailer_its_slots(book: Book) -> None:
    await book.open(20)
    await book.lanes(0, 2_000, due="now() - interval '1 hour'")
    for quiet in range(1, 20):
        await book.lanes(quiet, 1)

    taken = await book.take(64)

    shares = book.by_tenant(taken)
    assert [shares[quiet] for quiet in range(1, 20)] == [1] * 19
    # It is not known yet how quick its target is: a quarter of the slots.
    assert shares[0] == 16


async def test_more_retailers_than_one_look_holds_are_all_served_in_turn(book: Book) -> None:
    many = 2 * SOURCES_PER_CLASS + 10
    await book.open(many)
    for tenant in range(many):
        await book.lanes(tenant, 3)
    served: set[UUID] = set()
    cursor, fairness = START, Fairness(1_000)

    for _ in range(4):
        taken = await claim(
            book.database, worker="w", lease_s=30, lanes=64, cursor=cursor, fairness=fairness
        )
        cursor = taken.cursor
        for lane in taken.lanes:
            fairness.holdings.begin((lane.key[0], lane.key[1]), lane.class_)
        served |= {lane.key[0] for lane in taken.lanes}

    assert served == set(book.tenants)


async def test_what_is_due_is_found_behind_any_number_of_connections_that_wait(book: Book) -> None:
    many = LOOKS_PER_CLASS + 5
    await book.open(many + 1)
    for tenant in range(many):
        await book.lanes(tenant, 1, due="now() + interval '1 hour'")
    await book.lanes(many, 1)

    first = await claim(book.database, worker="w", lease_s=30, lanes=10)
    second = await claim(book.database, worker="w", lease_s=30, lanes=10, cursor=first.cursor)

    assert (first.lanes, first.is_whole) == ((), False)
    assert [lane.key[0] for lane in second.lanes] == [book.tenants[many]]


async def test_parked_lanes_are_not_even_looked_at(book: Book) -> None:
    await book.open(3)
    await book.lanes(0, 5_000, due="'infinity'")
    await book.lanes(1, 5_000, due="'infinity'")
    await book.lanes(2, 2)

    async with begin(EngineScope(), book.database) as session:
        view = await look(session, START, 100)
        plan = "\n".join(
            row[0]
            for row in await session.fetch(
                "explain (analyze, buffers off, costs off, timing off, summary off) "
                + looking.SOURCES,
                [0, 1, 2, 3],
                [UUID(int=0)] * 4,
                [UUID(int=0)] * 4,
                100,
                LOOKS_PER_CLASS,
                SOURCES_PER_CLASS,
            )
        )

    assert [source.connection[0] for source in view.sources] == [book.tenants[2]]
    assert view.is_whole
    assert "lane_due" in plan
    assert "Rows Removed" not in plan


async def test_two_workers_never_hold_the_same_lane(book: Book) -> None:
    await book.open(2)
    await book.lanes(0, 30)
    await book.lanes(1, 30)

    first = await book.take(64)
    second = await book.take(64)

    keys = [lane.key for lane in (*first, *second)]
    assert len(keys) == len(set(keys))


async def test_what_another_worker_was_quicker_to_take_is_not_charged(book: Book) -> None:
    await book.open(1)
    await book.lanes(0, 4)
    fairness = Fairness(100)
    async with begin(EngineScope(), book.database) as session:
        await session.fetch("select 1 from lane for update")
        taken = await book.take(50, fairness)

    assert taken == ()
    assert fairness.holdings.credit_s((book.tenants[0], 0)) > 0
