"""`tillwire stock`: rules, kits and places set at a terminal, and why an article does not move."""

from __future__ import annotations

import json

from app.retail.inventory.keeper import keep_batch
from infra.database.pool import Database
from tests.app.cli.conftest import Run
from tests.app.cli.test_names import called
from tests.scenarios.stock_shop import count, open_stock_shop, order, position
from tests.stage import open_stage


async def test_stock_is_listed_ruled_and_explained(run: Run, database: Database) -> None:
    async with open_stage(database) as stage:
        shop = await open_stock_shop(stage)
        name = await called(database, shop.retailer.tenant_id)
        made = await run("stock", "unit", name, "SKU-1", "CS", "12", "EA")
        await run("stock", "kit", name, "GIFT", "SKU-1=2")
        await shop.tell("wms", count("c-1", 2, 0, uom="CS"))
        await shop.work()
        listed = await run("stock", "list", name, "--sku", "SKU-1", "--json")
        ruled = await run("stock", "rule", name, "web", "--safety", "4", "--pool", "dc", "--json")
        await keep_batch(shop.retailer.scope, database)

        why = await run("stock", "why", name, "GIFT")
        rules = await run("stock", "rules", name, "--json")
        placed = await run("stock", "place", name, "dc", "--heartbeat", "600")
        places = await run("stock", "places", name, "--json")

    assert made.exit_code == placed.exit_code == 0, made.output
    assert [row["quantity"] for row in json.loads(listed.stdout)] == ["24"]
    assert json.loads(ruled.stdout) == [{"version": 2, "articles": 2}]
    assert "web: nothing was ever told, it may show 10: an update waits." in why.stdout
    assert "It is a kit: as many are shown as its parts allow." in why.stdout
    assert [row["safety"] for row in json.loads(rules.stdout)] == [4]
    assert [row["heartbeat_s"] for row in json.loads(places.stdout)] == [600]


async def test_an_oversell_case_is_decided_at_a_terminal(run: Run, database: Database) -> None:
    async with open_stage(database) as stage:
        shop = await open_stock_shop(stage)
        name = await called(database, shop.retailer.tenant_id)
        await shop.tell("wms", position(0, 0))
        await shop.tell("web", order(1, 5))
        await shop.work()
        (case,) = json.loads((await run("stock", "oversells", name, "--json")).stdout)
        refused = await run("stock", "resolve", name, case["id"], "cancel")
        decided = await run(
            "stock", "resolve", name, case["id"], "cancel", "--message", "Sorry.", "--json"
        )
        left = await run("stock", "oversells", name, "--json")

    assert (case["order"], case["money"], case["units"]) == ("o-1", "10 USD", "1")
    assert (refused.exit_code, refused.stderr) == (
        2,
        "Write what the customer is told. The field `message` is empty.\n",
    )
    assert json.loads(decided.stdout)[0]["what to do"] == "cancel"
    assert json.loads(left.stdout) == []
