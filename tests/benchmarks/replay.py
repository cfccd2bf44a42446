"""How long the preview of the largest replay takes, by a worker as it runs."""

from __future__ import annotations

import asyncio
import time

import asyncpg

from app.exceptions.replay.create import create_replay
from app.exceptions.replay.read import Replay, read_replay
from app.exceptions.replay.selection import Selection
from infra.database.scope import TenantScope
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import Scene, open_scene
from tests.benchmarks.seed import seed_waiting
from tests.chaos.world import Shop, World, open_shops

AT_MOST_S = 600.0
LOOK_EVERY_S = 0.1
STATES = ("ready", "held", "delivered", "discarded")
_TABLES = ("delivery", "lane", "hold", "attempt", "message")

# Lanes of four by the first byte of their hash: half were delivered (so that three of four are stale),
# three tenths given up, two tenths are held at their head with the rest waiting behind it.
_DELIVERIES = """
update delivery set settled_at = case when get_byte(lane_hash, 0) < 205 then now() end,
    attempt_count = 1, external_ref = 'rec', code = 'target.refused',
    state = case when get_byte(lane_hash, 0) < 128 then 'delivered'
        when get_byte(lane_hash, 0) < 205 then 'discarded' when seq = 1 then 'held' else 'ready' end
"""
# An attempt is younger than its delivery.
_ATTEMPTS = """
insert into attempt (tenant_id, id, delivery_id, number, started_at, took_ms, outcome, status, worker,
    lease_token, flow_version)
select tenant_id, overlay(id::text placing '8' from 15 for 1)::uuid, id, 1, now(), 40,
    case when get_byte(lane_hash, 0) < 128 then 'Delivered' else 'Rejected' end, 200, 'seed', 1, 1
from delivery where get_byte(lane_hash, 0) < 205 or seq = 1
"""
_HOLDS = """
insert into hold (tenant_id, id, message_id, delivery_id, connection_id, flow_id, code, words)
select tenant_id, id, message_id, id, connection_id, flow_id, code, 'No.' from delivery
where state = 'held'
"""
_LANES = """
update lane set ready_at = null, blocked_by = d.id,
    open_count = case when get_byte(lane.lane_hash, 0) < 205 then 0 else 4 end
from lane l left join delivery d on d.tenant_id = l.tenant_id and d.connection_id = l.connection_id
    and d.lane_hash = l.lane_hash and d.state = 'held'
where lane.tenant_id = l.tenant_id and lane.connection_id = l.connection_id
    and lane.lane_hash = l.lane_hash
"""
_MESSAGES = """
update message set open_routes = 0, state = 'settled' from delivery d
where d.message_id = message.id and get_byte(d.lane_hash, 0) < 205
"""
_MAKE_HISTORY = (_DELIVERIES, _ATTEMPTS, _HOLDS, _LANES, _MESSAGES)


async def measure_replay(world: World, records: int) -> list[Figure]:
    """Measure from asking for a replay to its ready preview, the worker's own pauses included."""
    async with open_scene(world, f"replay_{records}") as scene:
        (shop,) = await open_shops(scene.world, scene.database, 1)
        await seed_waiting(scene, [shop], records)
        await _make_history(scene)
        await scene.start_worker()
        # The first one pays for what the worker has not done before; it is not the one measured.
        await _previewed(scene, shop, Selection(code="target.refused", states=("held",)))
        started_s = time.monotonic()
        replay = await _previewed(
            scene,
            shop,
            Selection.model_validate({"since": "2020-01-01T00:00:00Z", "states": STATES}),
        )
        took_s = time.monotonic() - started_s
        assert replay.state == "previewed", replay.words
        assert replay.records == records, (replay.records, records)
    counted = {name: each["records"] for name, each in replay.preview["by"].items()}
    return [
        Figure("replay.preview_s", took_s, f"s for {records:,} records"),
        Figure("replay.preview_rate", records / took_s, "records/s"),
        *[Figure(f"replay.promised.{name}", count, "records") for name, count in counted.items()],
    ]


async def _make_history(scene: Scene) -> None:
    """Turn what was seeded as waiting into what a day leaves behind, as the schema's owner."""
    owner = await asyncpg.connect(scene.world.owner_url)
    for table in _TABLES:
        await owner.execute(f"alter table {table} no force row level security")
        await owner.execute(f"alter table {table} disable trigger user")
    for statement in _MAKE_HISTORY:
        await owner.execute(statement)
    for table in _TABLES:
        await owner.execute(f"alter table {table} enable trigger user")
        await owner.execute(f"alter table {table} force row level security")
        await owner.execute(f"analyze {table}")
    await owner.close()


async def _previewed(scene: Scene, shop: Shop, wanted: Selection) -> Replay:
    scope = TenantScope(shop.tenant_id, "person:bench")
    made = await create_replay(scope, scene.database, wanted, "now", "A measurement.")
    async with asyncio.timeout(AT_MOST_S):
        while True:
            replay = await read_replay(scope, scene.database, made.id)
            if replay.state != "previewing":
                return replay
            await asyncio.sleep(LOOK_EVERY_S)
