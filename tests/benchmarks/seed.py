"""Waiting deliveries by the hundred thousand, written as the schema's owner and not by the pipeline."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from app.pipeline.write import effect_key
from connectors import registry
from connectors.canonical.event import BODIES, Event, encode
from connectors.sdk.message import RawMessage
from infra import clock
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id, new_id
from infra.keys.master import MasterKey, MasterKeys
from infra.keys.vault import TenantKey, Vault
from tests.benchmarks.load import Door, request
from tests.benchmarks.place import Scene
from tests.chaos.world import ORDERS, TARGET, Shop

DEEP = 4  # deliveries of one lane
AT_ONCE = 50_000
TABLES = ("message", "event", "lane", "delivery")

_COLUMNS = {
    "message": "tenant_id id connection_id topic state fate routes open_routes size_bytes received_at",
    "event": "tenant_id id message_id connection_id type contract key object_id version label"
    " occurred_at routed_to sealed period accepted_at",
    "lane": "tenant_id connection_id lane_hash label class next_seq open_count ready_at",
    "delivery": "tenant_id id event_id message_id flow_id source_connection_id connection_id lane_hash"
    " seq class state effect_key accepted_at",
}


@dataclass(frozen=True, slots=True)
class _Owner:
    tenant_id: Id
    key: TenantKey
    source: Id
    target: Id
    flow: Id


@dataclass(frozen=True, slots=True)
class Shape:
    """How deliveries wait: so many in each lane, of one class; `prefix` keeps several seeds apart."""

    deep: int = DEEP
    class_: int = 0
    prefix: str = "seed"


async def seed_waiting(
    scene: Scene,
    shops: Sequence[Shop],
    count: int,
    shape: Shape = Shape(),
) -> None:
    """Write `count` deliveries that are due, evenly over the retailers."""
    vault = Vault(scene.database, MasterKeys(MasterKey(scene.world.master_key)))
    owners = [await _owner(scene, vault, shop) for shop in shops]
    connection = await asyncpg.connect(scene.world.owner_url)
    for table in TABLES:
        await connection.execute(f"alter table {table} no force row level security")
    for begun in range(0, count, AT_ONCE):
        await _copy(connection, owners, range(begun, min(count, begun + AT_ONCE)), shape)
    for table in TABLES:
        await connection.execute(f"alter table {table} force row level security")
        await connection.execute(f"analyze {table}")
    await connection.close()


async def _owner(scene: Scene, vault: Vault, shop: Shop) -> _Owner:
    key = await vault.current(shop.tenant_id)
    async with begin(TenantScope(shop.tenant_id), scene.database) as session:
        rows = await session.fetch("select name, id from connection")
        flow = await session.fetch_value("select id from flow")
    ids = {row["name"]: row["id"] for row in rows}
    return _Owner(shop.tenant_id, key, ids[ORDERS], ids[TARGET], flow)


async def _copy(
    connection: asyncpg.Connection[asyncpg.Record],
    owners: Sequence[_Owner],
    numbers: range,
    shape: Shape,
) -> None:
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in TABLES}
    for table, row in _rows(owners, numbers, shape):
        rows[table].append(row)
    for table in TABLES:
        columns = _COLUMNS[table].split()
        await connection.copy_records_to_table(table, records=rows[table], columns=columns)


def _rows(
    owners: Sequence[_Owner], numbers: range, shape: Shape
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    sample, now = _sample(), clock.now()
    for number in numbers:
        lane, seq = number // shape.deep, number % shape.deep + 1
        owner = owners[lane % len(owners)]
        key = f"order:{shape.prefix}-{lane:07}"
        event = msgspec.structs.replace(
            sample, key=key, object_id=key, version=str(seq), label=f"Order {lane}"
        )
        event_id, message_id = new_id(), new_id()
        lane_hash = hashlib.sha256(key.encode()).digest()[:16]
        mine, ours = owner.tenant_id, owner.key
        yield (
            "message",
            (mine, message_id, owner.source, "event", "prepared", "routed", 1, 1, 1_500, now),
        )
        yield "event", (
            *(mine, event_id, message_id, owner.source, event.type, BODIES[event.type][1], key, key),
            *(event.version, event.label, event.occurred_at, [owner.flow]),
            *(ours.seal(f"event|{event_id}", encode(event)), ours.period, now),
        )  # fmt: skip
        if seq == 1:
            deep = shape.deep
            yield "lane", (mine, owner.target, lane_hash, key, shape.class_, deep + 1, deep, now)
        yield "delivery", (
            *(mine, new_id(), event_id, message_id, owner.flow, owner.source, owner.target),
            *(lane_hash, seq, shape.class_, "ready", effect_key(mine, owner.flow, event_id), now),
        )  # fmt: skip


def _sample() -> Event:
    """Read one order of the load generator as the pipeline would."""
    body = request("sample", 1, Door("/", api_key="none")).partition(b"\r\n\r\n")[2]
    raw = RawMessage(topic="event", body=body, received_at=clock.now())
    return registry.load("http").read(raw).events[0]
