"""A day that is replayed under the mapping of then asks the target for exactly what was asked then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio

from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from app.deliveries.send import Sender
from app.exceptions.replay.loop import ReplayLoop
from app.exceptions.replay.parts import ReplayParts
from app.flows.adjust import Adjuster
from app.flows.versions import NewVersion, publish_version
from connectors.catalog.http.emulator import Recorder
from connectors.catalog.http.emulator.target import Reply
from infra.database.pool import Database
from infra.database.unit import begin
from tests.app.exceptions.conftest import Shop
from tests.app.exceptions.picky import PickyTarget
from tests.app.exceptions.replay.conftest import Replays
from tests.stage import open_stage, order_event

ORDERS = 120
# What is the caller's own at each attempt: when it was sent, its trace, its signature over both.
OF_THE_MOMENT = {"webhook-timestamp", "webhook-signature", "traceparent"}
STORES: dict[str, Any] = {"kind": "constant", "path": "body.store", "value": "7"}
ELSEWHERE: dict[str, Any] = {"kind": "constant", "path": "body.store", "value": "8"}

Call = tuple[tuple[tuple[str, str], ...], bytes]


@dataclass(slots=True)
class Stenographer(PickyTarget):
    """Keeps every call as it came, but for what belongs to the moment."""

    calls: list[Call] = field(default_factory=list)

    def take(self, headers: dict[str, str], body: bytes) -> Reply:
        """Write the call down, then answer."""
        kept = {name: text for name, text in headers.items() if name not in OF_THE_MOMENT}
        self.calls.append((tuple(sorted(kept.items())), body))
        return PickyTarget.take(self, headers, body)


@pytest_asyncio.fixture
async def day(database: Database) -> AsyncIterator[tuple[Replays, Stenographer]]:
    """A retailer whose target writes everything down."""
    target = Stenographer()
    async with Recorder(target) as recorder, open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "target", ["signing_secret"])
        await stage.flow(retailer, "source", "target")
        transports = Transports(stage.egress, database, ConnectionWatch(database))
        sender = Sender(stage.connections, Adjuster(database), transports.of, 2.0)
        parts = ReplayParts(database, stage.vault, stage.routes, sender, lambda: None)
        yield Replays(Shop(stage, retailer, target), ReplayLoop(parts, 0.05), recorder.url), target


async def publish(replays: Replays, rule: dict[str, Any]) -> None:
    flow_id = next(iter(replays.shop.retailer.flows.values()))
    async with begin(replays.person("ada"), replays.shop.stage.database) as session:
        await publish_version(session, NewVersion(flow_id, "New table.", overrides=[rule]))


async def test_a_day_under_the_mapping_of_then_makes_the_same_calls_to_the_byte(
    day: tuple[Replays, Stenographer],
) -> None:
    replays, target = day
    await publish(replays, STORES)
    orders = [order_event(n, total=f"{n}.50") for n in range(ORDERS)]
    await replays.shop.sell(*orders)
    calls_then = sorted(target.calls)
    await publish(replays, ELSEWHERE)
    target.calls.clear()

    preview = await replays.preview(
        mapping="as_then", since="2020-01-01T00:00:00Z", states=("delivered",)
    )
    await replays.start(preview.id)
    done = await replays.done(preview.id)

    assert len(calls_then) == ORDERS
    assert sorted(target.calls) == calls_then
    assert (done.receipt["equal"], done.receipt["of"]) == (ORDERS, ORDERS)
    assert set(target.book.effects.values()) == {1}
