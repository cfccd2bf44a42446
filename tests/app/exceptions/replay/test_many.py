"""1,000 delivered, 500 failed and 100 held are replayed while new events of the same keys flow."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from app.exceptions.discard import discard_hold
from app.exceptions.hold import HoldFilter, list_holds
from app.exceptions.replay.read import Replay
from app.exceptions.replay.start import approve_replay
from connectors.catalog.http.emulator.book import doubled_events, effects_by_key, lanes
from tenants.audit import verify_chain
from tests.app.exceptions.replay.conftest import Replays
from tests.stage import order_event

DELIVERED, FAILED, HELD = 1_000, 500, 100
# Of the delivered ones: a newer version comes between preview and start, or while the replay runs.
TOLD_BEFORE, TOLD_MEANWHILE = 100, 200
ALL_STATES = ("held", "waiting", "checking", "discarded", "delivered")


def orders(first: int, count: int, version: str = "1") -> list[dict[str, Any]]:
    return [order_event(number, version=version) for number in range(first, first + count)]


async def accept(replays: Replays, events: list[dict[str, Any]]) -> None:
    shop = replays.shop
    for begun in range(0, len(events), 200):
        await shop.stage.accept(shop.retailer, "source", *events[begun : begun + 200])


async def world(replays: Replays) -> None:
    """Deliver 1,000 orders; 500 are refused and given up, 100 are refused and held."""
    shop = replays.shop
    refused = range(DELIVERED + 1, DELIVERED + FAILED + HELD + 1)
    shop.target.refused.update(f"o-{number}" for number in refused)
    await accept(replays, orders(1, DELIVERED + FAILED + HELD))
    async with shop.stage.engine():
        await shop.stage.rests(shop.retailer, 120)
    given_up = {f"Order #{number}" for number in range(DELIVERED + 1, DELIVERED + FAILED + 1)}
    holds = await list_holds(shop.retailer.scope, shop.stage.database, HoldFilter(), 1_000)
    for hold in holds:
        if hold.label in given_up:
            await discard_hold(
                shop.retailer.scope, shop.stage.database, hold.id, "Not now.", lambda: None
            )
    shop.target.refused.clear()


async def works_until_a_worker_dies(replays: Replays, replay_id: UUID) -> None:
    """Run an engine, and cut it off in the middle of its calls when 400 have come back."""
    shop = replays.shop
    seen = shop.target.book.request_count
    async with shop.stage.engine():
        while shop.target.book.request_count < seen + 400:
            await replays.loop.round()
            await asyncio.sleep(0)


@pytest.mark.timeout(300)
async def test_a_replay_beside_live_traffic_does_nothing_twice_and_overwrites_nothing_newer(
    replays: Replays,
) -> None:
    shop = replays.shop
    await world(replays)
    assert await shop.states("delivery") == {
        "delivered": DELIVERED,
        "discarded": FAILED,
        "held": HELD,
    }
    done_keys = set(shop.target.book.effects)
    preview = await replays.preview(since="2020-01-01T00:00:00Z", states=ALL_STATES)
    assert counts(preview.preview) == {"no_op": DELIVERED, "create": FAILED + HELD}

    await shop.sell(*orders(1, TOLD_BEFORE, version="2"))
    await approved(replays, preview.id)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(accept(replays, orders(TOLD_BEFORE + 1, TOLD_MEANWHILE, version="2")))
        tasks.create_task(works_until_a_worker_dies(replays, preview.id))
    done = await replays.done(preview.id)

    entries = shop.target.book.entries
    assert set(effects_by_key(entries).values()) == {1}
    assert doubled_events(entries) == {}
    assert done_keys < set(shop.target.book.effects)
    told_anew = TOLD_BEFORE + TOLD_MEANWHILE
    assert len(shop.target.book.effects) == DELIVERED + FAILED + HELD + told_anew
    assert older_after_newer(replays) == []
    stale = counts(done.receipt).get("stale", 0)
    assert TOLD_BEFORE <= stale <= told_anew
    await assert_told_truly(replays, done, stale)
    await assert_books(replays)


def counts(totals: dict[str, Any]) -> dict[str, int]:
    return {name: each["records"] for name, each in totals["by"].items()}


async def assert_told_truly(replays: Replays, done: Replay, stale: int) -> None:
    """The receipt equals the preview but for what a newer state overtook, and lists just that."""
    assert counts(done.receipt) == {
        "no_op": DELIVERED - stale,
        "create": FAILED + HELD,
        "stale": stale,
    }
    assert done.receipt["of"] == DELIVERED + FAILED + HELD
    assert done.receipt["equal"] == DELIVERED + FAILED + HELD - stale
    differ = [each for each in await replays.items(done.id) if each.happened != each.promised]
    assert Counter((each.promised, each.happened) for each in differ) == {("no_op", "stale"): stale}


async def assert_books(replays: Replays) -> None:
    """Exactly one audit line for each record, an unbroken chain, balanced books, empty lanes."""
    shop = replays.shop
    lines = Counter(s for a, s in await shop.audited() if a == "replays.replay_record")
    assert len(lines) == DELIVERED + FAILED + HELD
    assert set(lines.values()) == {1}
    assert (await verify_chain(replays.person("ada"), shop.stage.database)).ok
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0
    left = await shop.stage.rows(shop.retailer, "select sum(open_count)::int as open from lane")
    assert left == [{"open": 0}]
    assert await shop.states("message") == {"settled": DELIVERED + FAILED + HELD + 300}


def older_after_newer(replays: Replays) -> list[str]:
    """Find lanes in which an older version had its effect after a newer one.

    Requests alone say nothing: a worker that dies leaves its last two of a lane to be repeated, in
    their order and under their keys.
    """
    by_lane = lanes(replays.shop.target.book.entries)
    versions = {lane: [entry.version for entry in told] for lane, told in by_lane.items()}
    return [lane for lane, told in versions.items() if told != sorted(told)]


async def approved(replays: Replays, replay_id: UUID) -> None:
    """Start as Ada, approve as Grace."""
    await replays.start(replay_id)
    await approve_replay(replays.person("grace"), replays.shop.stage.database, replay_id)
