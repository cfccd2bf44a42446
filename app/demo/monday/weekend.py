"""The weekend: a calm Friday, a mapping published at a quarter to six, an ERP and a token that go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.demo.monday.desk import Desk, JsonObject
from app.demo.monday.ground import Ground
from app.demo.monday.judge import Told, told_by
from app.demo.monday.patience import until_found
from app.demo.monday.systems import new_secret, tell
from app.demo.monday.world import (
    ALERTS,
    ARTICLES,
    MAPLE,
    MISTYPED,
    NORTHGATE,
    ORDERS,
    PARTNER,
    SHOP,
    WAREHOUSE,
    Telling,
    Weekend,
    maple_orders,
    northgate_orders,
    shipments,
    spoiling_count,
)

SKU = "body.lines[*].sku"
FRIDAY_NOTE = "Article numbers of the new season"

_SECRETS = {
    (MAPLE, SHOP): "maple-shop",
    (MAPLE, WAREHOUSE): "warehouse",
    (NORTHGATE, SHOP): "northgate-shop",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """What was told by whom, what of it does not arrive, and the marketplace's new secret."""

    orders: Told
    shipments: Told
    northgate: Told
    spoiled: Told
    missed_orders: Told
    missed_shipments: Told
    new_secret: str

    @property
    def records(self) -> int:
        """Count what does not arrive."""
        return self.missed_orders.records + self.missed_shipments.records + self.spoiled.records


async def play_weekend(ground: Ground, weekend: Weekend) -> Happened:
    """Let it all happen; returns when every sender has been answered."""
    await _hear_alerts(ground)
    await publish(ground, {**ARTICLES}, "Article numbers of the ERP")
    friday = [
        maple_orders(1, weekend.calm, "friday-orders"),
        shipments(1, weekend.calm, "friday-shipments"),
        northgate_orders(1, weekend.calm, "friday-northgate"),
    ]
    logs = await _tell_all(ground, friday)
    await _until_calm(ground)
    await publish(ground, {**ARTICLES, **MISTYPED}, FRIDAY_NOTE)
    secret = await _break(ground)
    first = weekend.calm + 1
    spoiling = spoiling_count(first, weekend.spoiled)
    saturday = [
        maple_orders(first, weekend.orders, "weekend-orders"),
        shipments(first, weekend.shipments, "weekend-shipments"),
        northgate_orders(first, spoiling, "weekend-northgate"),
    ]
    later = await _tell_all(ground, saturday)
    return Happened(
        orders=told_by([logs[0], later[0]]),
        shipments=told_by([logs[1], later[1]]),
        northgate=told_by([logs[2], later[2]]),
        spoiled=told_by([later[2]], only=frozenset(MISTYPED)),
        missed_orders=told_by([later[0]]),
        missed_shipments=told_by([later[1]]),
        new_secret=secret,
    )


async def publish(ground: Ground, table: dict[str, str], note: str) -> JsonObject:
    """Publish the bookseller's table of article numbers."""
    desk = ground.ada.at(ground.tenants[NORTHGATE])
    flow = await flow_of(desk, ORDERS)
    rule = {"path": SKU, "kind": "lookup", "table": table}
    return await desk.post(f"/v1/flows/{flow}/versions", {"overrides": [rule], "note": note})


async def flow_of(desk: Desk, name: str) -> str:
    """Give the id of a flow by its name."""
    listed = await desk.get("/v1/flows")
    return next(str(flow["id"]) for flow in listed["items"] if flow["name"] == name)


async def _hear_alerts(ground: Ground) -> None:
    for tenant_id in ground.tenants.values():
        await ground.ada.at(tenant_id).post(
            "/v1/alert-channels",
            {
                "kind": "webhook",
                "name": "Operations",
                "address": f"http://127.0.0.1:{ground.ports[ALERTS]}/alerts",
                "least_severity": "slight",
            },
        )


async def _tell_all(ground: Ground, tellings: Sequence[Telling]) -> list[Path]:
    async with asyncio.TaskGroup() as tasks:
        told = [
            tasks.create_task(
                tell(
                    ground.place,
                    ground.hooks[f"{PARTNER}/{each.retailer}/{each.connection}"],
                    ground.place.secret_of(_SECRETS[each.retailer, each.connection]),
                    each,
                )
            )
            for each in tellings
        ]
    return [task.result() for task in told]


async def _until_calm(ground: Ground) -> None:
    """Wait until nothing is under way."""

    async def look() -> bool | None:
        waits = [await in_flight(ground, tenant) for tenant in ground.tenants]
        return None if any(waits) else True

    await until_found(look, "Friday's records have arrived")


async def in_flight(ground: Ground, tenant: str) -> int:
    """Count what is under way at a retailer, as the books say."""
    ledger = await ground.ada.at(ground.tenants[tenant]).get("/v1/ledger")
    return int(ledger["total"]["in_flight"])


async def _break(ground: Ground) -> str:
    """Take the ERP down, and exchange the marketplace's secret; gives the new one."""
    secret = new_secret()
    await ground.stranger.post(ground.console("maple-erp", "faults"), {"unavailable": 1.0})
    await ground.stranger.post(ground.console("marketplace", "secrets"), [secret])
    return secret
