"""A retailer whose failed records are written straight into the book, with known values."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.exceptions.incidents.incident import COLUMNS, Incident, incident_of
from app.exceptions.incidents.sync import IncidentSync, Round
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, OperatorScope, TenantScope
from infra.database.unit import begin
from infra.ids import Id, new_id

ORDER = "retail.order.placed.v1"
SALE = "retail.till.sale.v1"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One record and what became of it; `code` empty means that it simply waits."""

    number: int
    amount: str | None = "20.00"
    currency: str = "USD"
    state: str = "waiting"
    code: str = ""
    error_class: str = ""
    pointer: str = ""
    attempts: int = 0
    type: str = ORDER
    key: str = ""
    object_id: str = ""
    class_: int = 0
    lane: str = ""
    deadline_at: datetime | None = None
    at: datetime | None = None


@dataclass(slots=True)
class Desk:
    """One retailer, its connections and flows by name, and the duty that looks after it."""

    database: Database
    tenant_id: Id = field(default_factory=new_id)
    partner_id: Id = field(default_factory=new_id)
    connections: dict[str, Id] = field(default_factory=dict)
    flows: dict[str, Id] = field(default_factory=dict)
    sync: IncidentSync | None = None

    @property
    def scope(self) -> TenantScope:
        return TenantScope(self.tenant_id, "person.ada")

    async def open(self, partner_id: Id | None = None, name: str = "Maple & Main") -> Desk:
        """Make the retailer, of a partner of its own unless one is named."""
        async with begin(OperatorScope("test"), self.database) as session:
            if partner_id is None:
                await session.execute(
                    "insert into partner (id, slug, name) values ($1, $2, 'Harborline')",
                    self.partner_id,
                    self.partner_id.hex,
                )
            self.partner_id = partner_id or self.partner_id
            await session.execute(
                "insert into tenant (id, partner_id, slug, name) values ($1, $2, $3, $4)",
                self.tenant_id,
                self.partner_id,
                self.tenant_id.hex,
                name,
            )
        self.sync = IncidentSync(self.database, quiet_for=timedelta(0), search_rest=0)
        return self

    async def connect(self, name: str, connector: str = "http", title: str = "") -> Id:
        self.connections[name] = new_id()
        await self.write(
            "insert into connection (tenant_id, id, name, connector, title)"
            " values ($1, $2, $3, $4, $5)",
            self.tenant_id,
            self.connections[name],
            name,
            connector,
            title,
        )
        return self.connections[name]

    async def flow(self, source: str, target: str) -> Id:
        name = f"{source} to {target}"
        flow_id = self.flows[name] = new_id()
        await self.write(
            "insert into flow (tenant_id, id, name, source_connection_id, target_connection_id,"
            " event_types, action) values ($1, $2, $3, $4, $5, '{}', 'push')",
            self.tenant_id,
            flow_id,
            f"{name} {flow_id}",
            self.connections[source],
            self.connections[target],
        )
        return flow_id

    async def add(self, source: str, target: str, *records: Wanted) -> list[UUID]:
        """Write events with their deliveries, and holds for those that are held."""
        flow_id = self.flows.get(f"{source} to {target}") or await self.flow(source, target)
        ids = [new_id() for _ in records]
        events: list[tuple[Any, ...]] = []
        lanes: list[tuple[Any, ...]] = []
        deliveries: list[tuple[Any, ...]] = []
        holds: list[tuple[Any, ...]] = []
        for delivery_id, one in zip(ids, records, strict=True):
            at = one.at or clock.now()
            event_id, message_id = new_id(), new_id()
            object_id = one.object_id or f"o-{one.number}"
            key = one.key or f"order:{object_id}"
            lane = hashlib.sha256((one.lane or f"{key}|{delivery_id}").encode()).digest()
            amount = None if one.amount is None else Decimal(one.amount)
            events.append(
                (self.tenant_id, event_id, message_id, self.connections[source], one.type, key,
                 object_id, f"#{one.number}", amount, one.currency, at)
            )  # fmt: skip
            blocked = delivery_id if one.state == "held" else None
            lanes.append((self.tenant_id, self.connections[target], lane, key, one.class_, blocked))
            deliveries.append(
                (self.tenant_id, delivery_id, event_id, message_id, flow_id,
                 self.connections[source], self.connections[target], lane, one.number, one.class_,
                 one.state, one.attempts, one.code, one.error_class, one.deadline_at, at)
            )  # fmt: skip
            if one.state == "held":
                holds.append(
                    (self.tenant_id, new_id(), message_id, delivery_id, self.connections[target],
                     flow_id, one.code, one.pointer, "Refused.", f"#{one.number}", amount,
                     one.currency, one.error_class, one.type, object_id, one.deadline_at, at)
                )  # fmt: skip
        async with begin(self.scope, self.database) as session:
            await session.execute_many(
                "insert into event (tenant_id, id, message_id, connection_id, type, contract, key,"
                " object_id, label, amount, currency, occurred_at, accepted_at, sealed, period)"
                " values ($1, $2, $3, $4, $5, 'x', $6, $7, $8, $9, $10, $11, $11, ''::bytea, 0)",
                events,
            )
            await session.execute_many(
                "insert into lane (tenant_id, connection_id, lane_hash, label, class, blocked_by,"
                " open_count, ready_at) values ($1, $2, $3, $4, $5, $6, 1, 'infinity')"
                " on conflict do nothing",
                lanes,
            )
            await session.execute_many(
                "insert into delivery (tenant_id, id, event_id, message_id, flow_id,"
                " source_connection_id, connection_id, lane_hash, seq, class, state, attempt_count,"
                " code, error_class, deadline_at, effect_key, accepted_at) values"
                " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, '', $16)",
                deliveries,
            )
            await session.execute_many(
                "insert into hold (tenant_id, id, message_id, delivery_id, connection_id, flow_id,"
                " code, pointer, words, label, amount, currency, error_class, event_type, object_id,"
                " deadline_at, created_at) values"
                " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
                holds,
            )
        return ids

    async def breaks(self, name: str, state: str, minutes_ago: float = 0) -> None:
        """Let a connection be out of order, or `closed` again."""
        await self.write(
            "insert into connection_health (tenant_id, connection_id, state, changed_at)"
            " values ($1, $2, $3, now() - make_interval(secs => $4))"
            " on conflict (tenant_id, connection_id)"
            " do update set state = $3, changed_at = excluded.changed_at",
            self.tenant_id,
            self.connections[name],
            state,
            minutes_ago * 60,
        )

    async def look(self) -> Round:
        assert self.sync is not None
        return await self.sync.go_on()

    async def incidents(self) -> list[Incident]:
        """Give all incidents of this retailer, the gravest in money first."""
        async with begin(self.scope, self.database) as session:
            rows = await session.fetch(
                f"select {COLUMNS} from incident where title <> '' order by weight desc, id"
            )
        return [incident_of(row) for row in rows]

    async def one(self) -> Incident:
        (only,) = await self.incidents()
        return only

    async def history(self, incident: Incident) -> list[str]:
        rows = await self.rows(
            "select kind from incident_moment where incident_id = $1 order by id", incident.id
        )
        return [row["kind"] for row in rows]

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        async with begin(self.scope, self.database) as session:
            return [dict(row) for row in await session.fetch(sql, *args)]

    async def write(self, sql: str, *args: Any) -> int:
        async with begin(self.scope, self.database) as session:
            return await session.execute(sql, *args)

    async def engine(self, sql: str, *args: Any) -> int:
        """Change rows as only the engine may."""
        async with begin(EngineScope(), self.database) as session:
            return await session.execute(sql, *args)


async def open_desk(database: Database, *names: str) -> Desk:
    """Make a retailer with a web shop, an ERP and whatever else is named."""
    desk = await Desk(database).open()
    await desk.connect("shop", "shopify", "Web shop")
    await desk.connect("erp", "tryton", "ERP")
    for name in names:
        await desk.connect(name)
    return desk


def numbers(count: int) -> Sequence[int]:
    return range(1, count + 1)
