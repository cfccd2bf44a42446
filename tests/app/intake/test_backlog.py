"""Back-pressure: above the plan's limit every door says 429 and keeps nothing; below it, all is kept."""

from __future__ import annotations

import io
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import msgspec
import pytest_asyncio

from app.connections.hooks import issue_hook
from app.intake.backlog import count_backlogs
from app.intake.folder import DONE, FolderWatch, _Found
from connectors.sdk.signatures import sign_standard
from infra.database.pool import Database
from infra.database.unit import begin
from infra.telemetry.events import start_logging
from tenants.roles import Role
from tests.app.api.served import Served, key_of, serve
from tests.stage import SECRET, Retailer, Stage, open_stage, order_event

MOST = 4
TICKETS = b"ticket,total\n1,2.00\n"


@dataclass(frozen=True, slots=True)
class Shop:
    """A retailer whose plan lets four records be under way, and its doors."""

    stage: Stage
    served: Served
    retailer: Retailer
    key: str
    hook: str

    async def fill(self, records: int, *, name: str = "first") -> None:
        """Let so many records be under way, and let a scheduler count them."""
        events = [order_event(n, version=name) for n in range(records)]
        await self.stage.accept(self.retailer, "source", *events)
        await count_backlogs(self.stage.database)
        self.stage.writer.backlogs._full.forget(self.retailer.tenant_id)

    async def stored(self) -> int:
        """Count what was ever accepted."""
        rows = await self.stage.rows(self.retailer, "select count(*) as count from receipt")
        return int(rows[0]["count"])


@pytest_asyncio.fixture
async def shop(database: Database, database_urls: tuple[str, str]) -> AsyncIterator[Shop]:
    """A retailer with a small plan behind a running web process."""
    async with open_stage(database) as stage, serve(stage) as served:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "tills", "pos_files")
        await stage.give_secret(retailer, "source", ["webhook_secret"])
        # The plan is written by billing, whose role the product does not have.
        owner = await asyncpg.connect(database_urls[0])
        await owner.execute("alter table tenant no force row level security")
        await owner.execute(
            "update tenant set entitlements = $2::jsonb where id = $1",
            retailer.tenant_id,
            json.dumps({"backlog_max": MOST}),
        )
        await owner.execute("alter table tenant force row level security")
        await owner.close()
        key = await key_of(stage, Role.CONNECTOR, tenant_id=retailer.tenant_id)
        async with begin(retailer.scope, database) as session:
            hook = await issue_hook(session, retailer.connections["source"])
        yield Shop(stage, served, retailer, key, f"/hooks/{hook}")


async def test_what_is_accepted_below_the_limit_is_stored_and_above_it_nothing_is(
    shop: Shop,
) -> None:
    await shop.fill(MOST - 1)
    taken = await shop.served.call("POST", "/v1/events", shop.key, json=order_event(50))
    await shop.fill(0)
    before = await shop.stored()

    refused = await shop.served.call("POST", "/v1/events", shop.key, json=order_event(51))

    assert taken.status_code == 202
    assert before == MOST
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "backlog.full"
    assert await shop.stored() == before


async def test_every_door_refuses_alike(shop: Shop) -> None:
    await shop.fill(MOST)
    body = msgspec.json.encode(order_event(60))
    signed = sign_standard(SECRET, "o-60", int(time.time()), body)
    tills = shop.retailer.connections["tills"]

    answers = [
        await shop.served.call("POST", "/v1/events", shop.key, json=[order_event(61)]),
        await shop.served.call("POST", shop.hook, headers=signed, content=body),
        await shop.served.call(
            "PUT", f"/v1/connections/{tills}/files/day.csv", shop.key, content=TICKETS
        ),
    ]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(429, "backlog.full")] * 3
    assert await shop.stored() == MOST
    assert await shop.stage.rows(shop.retailer, "select id from file") == []


async def test_a_forged_webhook_is_refused_as_such_whatever_the_backlog(shop: Shop) -> None:
    await shop.fill(MOST)

    answer = await shop.served.call("POST", shop.hook, content=b"{}")

    assert answer.status_code == 401


async def test_a_file_in_a_watched_folder_stays_there_until_it_can_be_taken(
    shop: Shop, tmp_path: Path
) -> None:
    await shop.fill(MOST)
    tills = shop.retailer.connections["tills"]
    folder = tmp_path / str(shop.retailer.tenant_id) / str(tills)
    folder.mkdir(parents=True)
    (folder / "day.csv").write_bytes(TICKETS)
    watch = FolderWatch(tmp_path, shop.stage.files)
    found = _Found(shop.retailer.tenant_id, tills, folder / "day.csv", len(TICKETS))

    await watch._take(found)
    left = sorted(each.name for each in folder.iterdir())
    await shop.stage.write(shop.retailer, "update message set state = 'cancelled'")
    await shop.fill(0)
    await watch._take(found)

    assert left == ["day.csv"]
    assert sorted(each.name for each in folder.iterdir()) == [DONE]


async def test_a_neighbour_is_not_refused(shop: Shop) -> None:
    await shop.fill(MOST)
    other = await shop.stage.retailer()
    await shop.stage.connect(other, "source", "http")
    key = await key_of(shop.stage, Role.CONNECTOR, tenant_id=other.tenant_id)

    answer = await shop.served.call("POST", "/v1/events", key, json=order_event(1))

    assert answer.status_code == 202


async def test_people_are_told_once_at_each_share_of_the_limit(shop: Shop) -> None:
    log = io.BytesIO()
    start_logging("info", stream=log)

    for number in range(MOST):
        await shop.fill(1, name=f"alarm-{number}")
        await count_backlogs(shop.stage.database)

    told = [json.loads(line) for line in log.getvalue().splitlines()]
    mine = [
        (line["case"], line["level"], line["queue_depth"])
        for line in told
        if line["event_name"] == "backlog.grew" and line["tenant"] == str(shop.retailer.tenant_id)
    ]
    assert mine == [("50 % of 4", "warning", 2), ("100 % of 4", "error", 4)]


async def test_the_count_falls_again_when_the_backlog_is_gone(shop: Shop) -> None:
    await shop.fill(MOST)
    await shop.stage.write(shop.retailer, "update message set state = 'cancelled'")

    await shop.fill(0)
    answer = await shop.served.call("POST", "/v1/events", shop.key, json=order_event(70))

    assert answer.status_code == 202
    rows = await shop.stage.rows(shop.retailer, "select open, most, alarm_percent from backlog")
    assert rows == [{"open": 0, "most": MOST, "alarm_percent": 0}]
