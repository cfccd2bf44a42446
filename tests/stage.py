"""A stage for engine tests: one retailer, its connections and flows, and the engine in this process.

Everything is real: PostgreSQL, the outgoing client, the recording target. Only the retry schedule is
divided, so that hours pass in milliseconds.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import msgspec
from pydantic import SecretStr

from app.connections.directory import ConnectionBook
from app.connections.secrets import put_secret
from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from app.deliveries.engine import DeliveryEngine, Parts
from app.deliveries.handover import HandOver
from app.deliveries.load import Loader
from app.deliveries.reports import Reports
from app.deliveries.send import Sender
from app.deliveries.settler import Settler
from app.flows.adjust import Adjuster
from app.flows.routes import RouteBook
from app.health.ledger import Ledger, read_ledger
from app.identities.theirs import TargetNames
from app.intake.asking import Asker
from app.intake.files import FileParts
from app.intake.group_commit import IntakeWriter
from app.intake.incoming import Accepted, Incoming
from app.intake.parents import ParentFetcher
from app.pipeline.loop import PrepareLoop
from app.pipeline.prepare import Preparer
from app.retail.inventory.keeper import Keeper
from infra import clock
from infra.database.pool import Database
from infra.database.scope import OperatorScope, TenantScope
from infra.database.unit import begin
from infra.egress.client import EgressClient
from infra.egress.policy import EgressPolicy
from infra.ids import Id, new_id
from infra.keys.master import MasterKey, MasterKeys
from infra.keys.vault import Vault
from infra.settings import EngineSettings
from infra.wake import Wake

MASTER_KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(b"a test secret of thirty-two bytes").decode()
FAST = EngineSettings(lease_s=3.0, call_deadline_s=2.0, retry_scale=200.0, poll_s=0.1)


def masters() -> MasterKeys:
    """Make master keys that only this test process knows."""
    return MasterKeys(MasterKey(MASTER_KEY))


@dataclass(slots=True)
class Retailer:
    """One retailer on the stage, with its connections by name."""

    tenant_id: Id
    connections: dict[str, Id] = field(default_factory=dict)
    flows: dict[str, Id] = field(default_factory=dict)

    @property
    def scope(self) -> TenantScope:
        """Give the scope of this retailer."""
        return TenantScope(self.tenant_id, "test")


@dataclass(slots=True)
class Stage:
    """The parts of one process, and the acts that tests perform on them."""

    database: Database
    vault: Vault
    connections: ConnectionBook
    routes: RouteBook
    egress: EgressClient
    writer: IntakeWriter
    settings: EngineSettings = FAST

    @property
    def files(self) -> FileParts:
        """Give what receiving files works with."""
        return FileParts(self.database, self.connections, self.writer)

    async def retailer(self) -> Retailer:
        """Make a retailer of a partner of its own."""
        partner_id, tenant_id = new_id(), new_id()
        async with begin(OperatorScope("test"), self.database) as session:
            await session.execute(
                "insert into partner (id, slug, name) values ($1, $2, 'Partner')",
                partner_id,
                partner_id.hex,
            )
            await session.execute(
                "insert into tenant (id, partner_id, slug, name) values ($1, $2, 'shop', 'Shop')",
                tenant_id,
                partner_id,
            )
        return Retailer(tenant_id)

    async def connect(self, retailer: Retailer, name: str, connector: str, **settings: Any) -> Id:
        """Give the retailer a connection, with the test secret where its connector wants one."""
        connection_id = new_id()
        async with begin(retailer.scope, self.database) as session:
            await session.execute(
                "insert into connection (tenant_id, id, name, connector, settings)"
                " values ($1, $2, $3, $4, $5)",
                retailer.tenant_id,
                connection_id,
                name,
                connector,
                json.dumps(settings),
            )
        retailer.connections[name] = connection_id
        return connection_id

    async def give_secret(self, retailer: Retailer, name: str, fields: Sequence[str]) -> None:
        """Store the test secret in the named fields of a connection."""
        key = await self.vault.current(retailer.tenant_id)
        async with begin(retailer.scope, self.database) as session:
            for secret in fields:
                await put_secret(
                    session, key, retailer.connections[name], secret, SecretStr(SECRET)
                )

    async def flow(
        self,
        retailer: Retailer,
        source: str,
        target: str,
        *,
        types: Sequence[str] = ("retail.order.placed.v1",),
        action: str = "push",
        ordering: str = "strict",
        class_: int = 0,
    ) -> Id:
        """Let events of one connection flow to another."""
        flow_id = new_id()
        name = f"{source} to {target} {len(retailer.flows)}"
        async with begin(retailer.scope, self.database) as session:
            await session.execute(
                "insert into flow (tenant_id, id, name, source_connection_id,"
                " target_connection_id, event_types, action, ordering, class)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                retailer.tenant_id,
                flow_id,
                name,
                retailer.connections[source],
                retailer.connections[target],
                list(types),
                action,
                ordering,
                class_,
            )
        retailer.flows[name] = flow_id
        self.routes.forget(retailer.tenant_id)
        return flow_id

    async def accept(
        self, retailer: Retailer, source: str, *events: dict[str, Any]
    ) -> list[Accepted]:
        """Store CloudEvents as if they had come to the API."""
        return await self.writer.accept_all(
            [
                Incoming(
                    tenant_id=retailer.tenant_id,
                    connection_id=retailer.connections[source],
                    topic=event["type"],
                    dedup=f"event|{event['id']}",
                    body=msgspec.json.encode(event),
                )
                for event in events
            ]
        )

    async def ledger(self, retailer: Retailer) -> Ledger:
        """Read the retailer's books of the last day."""
        now = clock.now()
        return await read_ledger(
            retailer.scope, self.database, now - timedelta(days=1), now + timedelta(hours=1)
        )

    async def rows(self, retailer: Retailer, sql: str, *args: Any) -> list[dict[str, Any]]:
        """Read rows in the retailer's scope."""
        async with begin(retailer.scope, self.database) as session:
            return [dict(row) for row in await session.fetch(sql, *args)]

    async def write(self, retailer: Retailer, sql: str, *args: Any) -> int:
        """Change rows in the retailer's scope, as only a test may."""
        async with begin(retailer.scope, self.database) as session:
            return await session.execute(sql, *args)

    async def until(
        self, retailer: Retailer, sql: str, expected: object, at_most_s: float = 20
    ) -> None:
        """Wait until a query gives the expected value; fails with the last value otherwise."""
        value: object = None
        try:
            async with asyncio.timeout(at_most_s):
                while True:
                    async with begin(retailer.scope, self.database) as session:
                        value = await session.fetch_value(sql)
                    if value == expected:
                        return
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{sql}: {value!r} instead of {expected!r}") from None

    async def settled(self, retailer: Retailer, at_most_s: float = 20) -> None:
        """Wait until nothing of the retailer is under way any more."""
        await self.until(
            retailer,
            "select (select count(*) from message where state = 'received')"
            " + (select count(*) from delivery where state in"
            " ('ready', 'delivering', 'waiting', 'checking'))",
            0,
            at_most_s,
        )

    async def rests(self, retailer: Retailer, at_most_s: float = 20) -> None:
        """Wait until every message is read and every lane is empty or waits for a person."""
        await self.until(
            retailer,
            "select (select count(*) from message where state = 'received')"
            " + (select count(*) from lane where ready_at is not null)",
            0,
            at_most_s,
        )

    @asynccontextmanager
    async def engine(self, **changes: Any) -> AsyncIterator[None]:
        """Run one engine, as a worker process runs it, until the block ends."""
        settings = self.settings.model_copy(update=changes)
        wake, delivery_wake, hand_over, reports = Wake(), Wake(), HandOver(), Reports()
        settler, watch = Settler(self.database, reports), ConnectionWatch(self.database)
        transports = Transports(self.egress, self.database, watch)
        engine = DeliveryEngine(
            Parts(
                database=self.database,
                routes=self.routes,
                loader=Loader(self.database, self.vault, hand_over),
                sender=Sender(
                    self.connections,
                    Adjuster(self.database, TargetNames(self.database)),
                    transports.of,
                    settings.call_deadline_s,
                ),
                settler=settler,
                watch=watch,
                hand_over=hand_over,
                reports=reports,
            ),
            settings,
            f"test:{new_id()}",
            delivery_wake,
        )
        preparer = Preparer(
            self.database,
            self.vault,
            self.connections,
            self.routes,
            hand_over,
            fault=settings.faults,
        )
        stock_wake = Wake()
        prepare = PrepareLoop(self.database, preparer, settings, wake, delivery_wake, stock_wake)
        keeper = Keeper(self.database, stock_wake, Wake(), settings.poll_s)
        asker = Asker(self.connections, transports.of, watch)
        parents = ParentFetcher(self.database, asker, self.writer, settings)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(run)
                for run in (
                    engine.run(), settler.run(), prepare.run(), transports.run(), parents.run(),
                    keeper.run(),
                )
            ]  # fmt: skip
            try:
                yield
            finally:
                for task in running:
                    task.cancel()
        await transports.close()


@asynccontextmanager
async def open_stage(database: Database) -> AsyncIterator[Stage]:
    """Set a stage on a migrated database."""
    vault = Vault(database, masters())
    policy = EgressPolicy(allow=frozenset({"127.0.0.1"}))
    async with EgressClient(policy) as egress, asyncio.TaskGroup() as tasks:
        writer = IntakeWriter(database, vault, lambda: None)
        flusher = tasks.create_task(writer.run())
        yield Stage(
            database=database,
            vault=vault,
            connections=ConnectionBook(database, vault),
            routes=RouteBook(database),
            egress=egress,
            writer=writer,
        )
        flusher.cancel()


def order_event(
    number: int, *, version: str = "1", total: str = "20.00", **changes: Any
) -> dict[str, Any]:
    """Write a small canonical order as a CloudEvent."""
    order = {
        "order_id": f"o-{number}",
        "number": f"#{number}",
        "kind": "web",
        "currency": "USD",
        "placed_at": "2026-11-20T10:00:00+00:00",
        "total": total,
        "lines": [
            {
                "line_id": "1",
                "sku": "SKU-001",
                "title": "Scarf",
                "quantity": "1",
                "unit_price": total,
                "net": total,
                "gross": total,
            }
        ],
        **changes,
    }
    return {
        "specversion": "1.0",
        "id": f"o-{number}-{version}",
        "source": "source",
        "type": "retail.order.placed.v1",
        "time": "2026-11-20T10:00:00Z",
        "data": order,
    }


__all__ = ["FAST", "SECRET", "Retailer", "Stage", "open_stage", "order_event", "replace"]
