"""How fast a message is durably accepted, beside a bare application that only commits."""

from __future__ import annotations

import base64
import os
import secrets
import sys

from infra.embedded.ports import free_port
from tests.benchmarks.figures import Figure
from tests.benchmarks.load import Door, Load, Result
from tests.benchmarks.place import Scene, open_scene, send, until_listening
from tests.chaos.world import Shop, World, open_shops

WARM_SHARE_0_1 = 0.1


async def measure_accept(world: World, count: int, tenants: int) -> list[Figure]:
    """Measure the limit and both thin routes in turn, with the same generator."""
    async with open_scene(world, "accept") as scene:
        limit = await _limit(scene, count)
        await scene.start_web()
        shops = await open_shops(scene.world, scene.database, tenants)
        port = scene.world.web_port
        hook = await _warmed(Load(port, hooks(shops), count, "hook"))
        events = await _warmed(Load(port, api_keys(shops), count, "event"))
    return [
        *_figures("accept.limit", limit, None),
        *_figures("accept.hook", hook, limit),
        *_figures("accept.events", events, limit),
    ]


def hooks(shops: list[Shop]) -> tuple[Door, ...]:
    """Give the hook addresses of retailers."""
    return tuple(Door(shop.hook_path, secret=shop.secret) for shop in shops)


def api_keys(shops: list[Shop]) -> tuple[Door, ...]:
    """Give the API doors of retailers."""
    return tuple(Door("/v1/events", api_key=shop.api_key) for shop in shops)


async def _limit(scene: Scene, count: int) -> Result:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    port = free_port()
    # The prototype writes as the owner of a database that nobody else uses yet: no roles, no rules.
    scene.fleet.environment = {
        **scene.fleet.environment,
        "RAW_DATABASE_URL": scene.world.owner_url,
        "RAW_SECRET": secret,
        "PATH": os.environ["PATH"],
    }
    scene.fleet.start("raw", [sys.executable, "-m", "tests.benchmarks.raw_accept", str(port)])
    await until_listening(port)
    result = await _warmed(Load(port, (Door("/", secret=secret),), count, "raw"))
    scene.fleet.end("raw")
    return result


async def _warmed(load: Load) -> Result:
    await send(
        replace_load(load, count=int(load.count * WARM_SHARE_0_1), prefix=f"warm-{load.prefix}")
    )
    return await send(load)


def replace_load(load: Load, **changes: object) -> Load:
    """Give the same load with changes."""
    values = {name: getattr(load, name) for name in load.__struct_fields__}
    return Load(**{**values, **changes})


def _figures(name: str, result: Result, limit: Result | None) -> list[Figure]:
    figures = [
        Figure(f"{name}.rate", result.per_s, "messages/s"),
        Figure(f"{name}.p50_ms", result.p50_ms, "ms"),
        Figure(f"{name}.p99_ms", result.p99_ms, "ms"),
    ]
    if limit is not None:
        figures.append(Figure(f"{name}.share_of_limit", result.per_s / limit.per_s, "of limit"))
    return figures
