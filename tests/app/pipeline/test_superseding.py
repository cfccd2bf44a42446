"""A newer value replaces what still waits of its own flow, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from app.deliveries.handover import HandOver
from app.pipeline.prepare import Preparer
from connectors.canonical.event import STOCK_POSITION
from infra.database.pool import Database
from tests.stage import Retailer, Stage, open_stage


@pytest_asyncio.fixture(loop_scope="session")
async def stage(database: Database) -> AsyncIterator[Stage]:
    """Set a stage; no engine runs, so that deliveries stay where prepare puts them."""
    async with open_stage(database) as opened:
        yield opened


def stock(quantity: int) -> dict[str, Any]:
    """Write one stock position of one SKU."""
    return {
        "specversion": "1.0",
        "id": f"stock-{quantity}",
        "source": "source",
        "type": STOCK_POSITION,
        "data": {
            "sku": "SKU-001",
            "location": "main",
            "available": str(quantity),
            "as_of": f"2026-11-20T10:00:{quantity:02d}+00:00",
        },
    }


async def prepare(stage: Stage, retailer: Retailer) -> None:
    """Prepare what the retailer has waiting."""
    preparer = Preparer(stage.database, stage.vault, stage.connections, stage.routes, HandOver())
    await preparer.prepare(retailer.tenant_id, 100)


async def test_two_flows_to_one_target_do_not_replace_each_others_values(stage: Stage) -> None:
    retailer = await stage.retailer()
    await stage.connect(retailer, "source", "http")
    await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
    for ordering in ("strict", "latest_wins"):
        await stage.flow(retailer, "source", "target", types=[STOCK_POSITION], ordering=ordering)

    await stage.accept(retailer, "source", stock(1))
    await prepare(stage, retailer)
    await stage.accept(retailer, "source", stock(2), stock(3))
    await prepare(stage, retailer)

    rows = await stage.rows(
        retailer,
        "select f.ordering, d.state, count(*) from delivery d join flow f on f.id = d.flow_id"
        " group by 1, 2 order by 1, 2",
    )
    assert [tuple(row.values()) for row in rows] == [
        ("latest_wins", "ready", 1),
        ("latest_wins", "superseded", 2),
        ("strict", "ready", 3),
    ]
    open_counts = await stage.rows(retailer, "select open_count from lane order by open_count")
    assert [row["open_count"] for row in open_counts] == [1, 3]
    ledger = await stage.ledger(retailer)
    assert (ledger.unaccounted, ledger.total.in_flight) == (0, 3)
