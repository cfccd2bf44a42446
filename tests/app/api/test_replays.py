"""Replays over the API: asked for, previewed, started, approved, and the receipt fetched."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest_asyncio

from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from app.deliveries.send import Sender
from app.exceptions.replay.loop import ReplayLoop
from app.exceptions.replay.parts import ReplayParts
from app.flows.adjust import Adjuster
from tenants.roles import Role
from tests.app.api.conftest import Api
from tests.app.api.served import key_of
from tests.stage import order_event

REFUSED = {"selection": {"code": "target.refused"}, "reason": "The customer was made."}


@pytest_asyncio.fixture
async def loop(api: Api) -> ReplayLoop:
    """The loop that previews and runs, driven by the test."""
    stage = api.shop.stage
    transports = Transports(stage.egress, stage.database, ConnectionWatch(stage.database))
    sender = Sender(stage.connections, Adjuster(stage.database), transports.of, 2.0)
    return ReplayLoop(
        ReplayParts(stage.database, stage.vault, stage.routes, sender, lambda: None), 0.05
    )


async def rest(loop: ReplayLoop) -> None:
    while await loop.round():
        pass


async def previewed(api: Api, loop: ReplayLoop, body: dict[str, Any]) -> dict[str, Any]:
    answer = await api.call("POST", "/v1/replays", json=body)
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "previewing"
    await rest(loop)
    found: dict[str, Any] = await api.json(f"/v1/replays/{answer.json()['id']}")
    return found


async def test_a_replay_is_previewed_started_and_receipted(api: Api, loop: ReplayLoop) -> None:
    api.shop.target.refused.clear()

    preview = await previewed(api, loop, REFUSED)
    assert preview["state"] == "previewed"
    assert preview["promised"] == [
        {"kind": "create", "records": 1, "amounts": [{"amount": "20.00", "currency": "USD"}]}
    ]
    assert preview["effects"] == [{"effect": "books an order", "records": 1}]
    assert preview["receipt"] is None

    path = f"/v1/replays/{preview['id']}"
    started = await api.call("POST", f"{path}/start")
    assert (started.status_code, started.json()["state"]) == (200, "running")
    await rest(loop)
    await api.shop.work()
    await rest(loop)

    done = await api.json(path)
    assert (done["state"], done["receipt"]["equal"], done["receipt"]["of"]) == ("done", 1, 1)
    whole = await api.json(f"{path}/receipt")
    assert whole["replay"] == done
    (item,) = whole["items"]
    assert (item["promised"], item["happened"], item["is_as_promised"]) == (
        "create",
        "create",
        True,
    )
    assert (await api.json(f"{path}/items?difference=true"))["items"] == []
    (listed,) = (await api.json("/v1/replays"))["items"]
    assert listed == done


async def test_the_csv_receipt_holds_no_formula(api: Api, loop: ReplayLoop) -> None:
    await api.shop.sell(order_event(7))
    preview = await previewed(
        api,
        loop,
        {"selection": {"event_type": "retail.order.placed.v1", "states": ["delivered"]},
         "reason": "A look."},
    )  # fmt: skip
    await api.shop.stage.write(
        api.shop.retailer, "update replay_item set label = '=HYPERLINK(\"x\")' where number = 1"
    )

    answer = await api.call("GET", f"/v1/replays/{preview['id']}/receipt?format=csv")

    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["number"] for row in rows] == ["1", "2"]
    assert rows[0]["label"] == '\'=HYPERLINK("x")'
    assert (rows[1]["promised"], rows[1]["amount"], rows[1]["currency"]) == (
        "no_op",
        "20.00",
        "USD",
    )


async def test_items_are_paged_and_filtered(api: Api, loop: ReplayLoop) -> None:
    await api.shop.sell(*(order_event(number) for number in range(10, 15)))
    preview = await previewed(
        api, loop, {"selection": {"since": "2020-01-01T00:00:00Z",
                                  "states": ["delivered", "held"]}, "reason": "A look."}
    )  # fmt: skip
    path = f"/v1/replays/{preview['id']}/items"

    seen, query = [], "limit=3"
    while query:
        page = await api.json(f"{path}?{query}")
        seen += [item["number"] for item in page["items"]]
        query = f"limit=3&cursor={page['next_cursor']}" if page["next_cursor"] else ""

    assert seen == list(range(1, preview["records"] + 1))
    conflicts = (await api.json(f"{path}?promised=conflict"))["items"]
    assert [item["promised_words"][:23] for item in conflicts] == ["It would be held again:"]


async def test_who_asked_cannot_approve_and_another_key_can(api: Api, loop: ReplayLoop) -> None:
    api.shop.target.refused.clear()
    preview = await previewed(api, loop, REFUSED)
    path = f"/v1/replays/{preview['id']}"
    retailer = api.shop.retailer
    await api.shop.stage.write(
        retailer, "update replay set needs_approval = true, words = 'Too much for one.'"
    )
    other = await key_of(api.shop.stage, Role.RETAILER_ADMIN, tenant_id=retailer.tenant_id)
    staff = await key_of(api.shop.stage, Role.RETAILER_STAFF, tenant_id=retailer.tenant_id)

    waiting = await api.call("POST", f"{path}/start")
    mine = await api.call("POST", f"{path}/approve")
    staffs = await api.served.call("POST", f"{path}/approve", staff)
    theirs = await api.served.call("POST", f"{path}/approve", other)

    assert waiting.json()["state"] == "awaiting_approval"
    assert (mine.status_code, mine.json()["code"]) == (403, "replay.second_person_needed")
    assert (staffs.status_code, staffs.json()["code"]) == (403, "auth.forbidden")
    assert (theirs.status_code, theirs.json()["state"]) == (200, "running")


async def test_what_is_wrong_with_a_selection_is_told(api: Api) -> None:
    two_ways = {"selection": {"code": "x.y", "incident": "019f2c11-0000-7000-8000-000000000001"},
                "reason": "A try."}  # fmt: skip
    missing = {"selection": {"incident": "019f2c11-0000-7000-8000-000000000001"}, "reason": "Try."}

    refused = await api.call("POST", "/v1/replays", json=two_ways)
    absent = await api.call("POST", "/v1/replays", json=missing)
    mute = await api.call("POST", "/v1/replays", json={"selection": {"code": "x.y"}})

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "selection.one_way")
    assert absent.status_code == 404
    assert (mute.status_code, mute.json()["errors"][0]["pointer"]) == (422, "/reason")
    assert await api.shop.states("replay") == {}
