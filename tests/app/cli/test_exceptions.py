"""`tillwire exceptions`, `flows` and `overrides`: work at the desk from a terminal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from connectors.catalog.http.emulator import Recorder
from infra.database.pool import Database
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from tests.app.cli.conftest import Run
from tests.app.exceptions.conftest import Shop
from tests.app.exceptions.picky import PickyTarget
from tests.stage import open_stage, order_event


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    """A retailer with two orders that its target refuses."""
    target = PickyTarget(refused={"o-1", "o-2"})
    async with Recorder(target) as recorder, open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "target", ["signing_secret"])
        await stage.flow(retailer, "source", "target")
        shop = Shop(stage, retailer, target)
        await shop.sell(order_event(1), order_event(2))
        yield shop


async def name_of(shop: Shop) -> str:
    async with begin(OperatorScope("test"), shop.stage.database) as session:
        slug = await session.fetch_value(
            "select p.slug from tenant t join partner p on p.id = t.partner_id where t.id = $1",
            shop.retailer.tenant_id,
        )
    return f"{slug}/shop"


async def test_what_waits_is_listed_taken_released_and_given_up(shop: Shop, run: Run) -> None:
    name = await name_of(shop)

    listed = json.loads((await run("exceptions", "list", name, "--json")).stdout)
    first, second = (row["id"] for row in listed)
    taken = await run("exceptions", "assign", name, first, "ada")
    shown = await run("exceptions", "show", name, first)
    released = await run("exceptions", "release", name, first, "--reason", "Customer made.")
    given_up = await run("exceptions", "discard", name, second, "--reason", "Was a test.")
    again = await run("exceptions", "release", name, second, "--reason", "No.")

    assert [(row["what"], row["money"]) for row in listed] == [
        ("Order #2", "20 USD"),
        ("Order #1", "20 USD"),
    ]
    assert taken.stdout == "Order #2: ada has it.\n"
    assert "owner: ada" in shown.stdout
    assert released.stdout == "Order #2: released.\n"
    assert given_up.stdout == "Order #1: discarded.\n"
    assert again.exit_code == 2
    assert again.stderr == "This was already decided. Read its present state.\n"


async def test_an_act_on_many_is_told_first_and_done_when_wanted(shop: Shop, run: Run) -> None:
    name = await name_of(shop)
    wanted = ("exceptions", "bulk", name, "discard", "--reason", "All tests.", "--json")

    told = json.loads((await run(*wanted)).stdout)
    before = await shop.states("hold")
    done = json.loads((await run(*wanted, "--yes")).stdout)
    odd = await run("exceptions", "bulk", name, "discard")

    assert (told[0]["would do"], told[0]["money"]) == (2, "40 USD")
    assert before == {"open": 2}
    assert (done[0]["done"], done[0]["refused"], done[0]["left"]) == (2, 0, 0)
    assert await shop.states("hold") == {"discarded": 2}
    assert odd.exit_code == 2


async def test_a_mapping_is_tried_published_and_taken_back(
    shop: Shop, run: Run, tmp_path: Path
) -> None:
    name, (flow,) = await name_of(shop), shop.retailer.flows
    rules = tmp_path / "rules.yaml"
    rules.write_text("- {path: body.store, kind: constant, value: '7'}\n", encoding="utf-8")

    tried = await run("flows", "publish", name, flow, str(rules), "--try", "--json")
    published = await run("flows", "publish", name, flow, str(rules), "--note", "Store.", "--json")
    back = await run("flows", "rollback", name, flow, "1", "--note", "It was not.", "--json")
    versions = json.loads((await run("flows", "versions", name, flow, "--json")).stdout)
    rules.write_text("- {path: body.nothing, kind: constant}\n", encoding="utf-8")
    refused = await run("flows", "publish", name, flow, str(rules), "--note", "Odd.")

    assert json.loads(tried.stdout)[0]["changed"] == 2
    assert json.loads(published.stdout)[0]["version"] == 2
    assert json.loads(back.stdout)[0]["version"] == 3
    assert [(row["version"], row["rules"]) for row in versions] == [(3, 0), (2, 1), (1, 0)]
    assert refused.exit_code == 2
    assert "No event of this flow has body.nothing" in refused.stderr


async def test_an_override_by_hand_is_made_listed_and_ended(shop: Shop, run: Run) -> None:
    name, (flow,) = await name_of(shop), shop.retailer.flows

    made = await run(
        *("overrides", "add", name, flow, "set", "--path", "body.store", "--value", '"7"'),
        *("--object-id", "o-9", "--reason", "Moved.", "--hours", "2", "--json"),
    )
    (row,) = json.loads(made.stdout)
    ended = await run("overrides", "end", name, row["id"], "--reason", "Done.", "--json")
    listed = await run("overrides", "list", name, "--json")

    assert (row["kind"], row["object"], row["value"], row["counts"]) == ("set", "o-9", '"7"', "yes")
    assert json.loads(ended.stdout)[0]["counts"] == "no"
    assert json.loads(listed.stdout) == []
