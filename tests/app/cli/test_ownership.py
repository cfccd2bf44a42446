"""`tillwire ownership`: who owns what, told and changed at a terminal."""

from __future__ import annotations

import json

from infra.database.pool import Database
from tests.app.cli.conftest import Run
from tests.app.cli.test_names import called
from tests.app.retailer import make_retailer


async def test_the_default_matrix_is_taken_over_where_it_is_clear(
    run: Run, database: Database
) -> None:
    retailer = await make_retailer(database)
    name = await called(database, retailer.id)
    await retailer.connect("erp", "tryton")

    shown = await run("ownership", "adopt", name, "--preview", "--json")
    before = await run("ownership", "list", name, "--json")
    done = await run("ownership", "adopt", name, "--json")
    again = await run("ownership", "adopt", name, "--json")
    after = await run("ownership", "list", name, "--json")

    assert json.loads(shown.stdout) == json.loads(done.stdout)
    assert {row["group"]: row["owner"] for row in json.loads(done.stdout)} == {
        "product.core": "erp",
        "price": "erp",
    }
    assert {row["writes of others"] for row in json.loads(before.stdout)} == {"not decided"}
    assert json.loads(again.stdout) == []
    rules = {row["group"]: row["writes of others"] for row in json.loads(after.stdout)}
    assert (rules["price"], rules["stock"]) == ("hold", "not decided")


async def test_an_owner_of_one_place_is_set_and_listed(run: Run, database: Database) -> None:
    retailer = await make_retailer(database)
    name = await called(database, retailer.id)
    await retailer.connect("shop", "http")

    made = await run(
        *("ownership", "set", name, "stock", "shop", "--place", "s-1", "--reason", "Counts itself"),
        *("--on-foreign", "refuse", "--json"),
    )
    listed = await run("ownership", "list", name, "--json")
    wrong = await run("ownership", "set", name, "weather", "shop", "--reason", "A try")
    frozen = await run("ownership", "frozen", name, "--json")

    assert made.exit_code == 0
    (stock,) = [row for row in json.loads(listed.stdout) if row["group"] == "stock"]
    assert stock == {
        "group": "stock",
        "place": "s-1",
        "owner": "shop",
        "writes of others": "refuse",
    }
    assert wrong.exit_code != 0
    assert json.loads(frozen.stdout) == []


async def test_facts_of_nothing_are_none(run: Run, database: Database) -> None:
    retailer = await make_retailer(database)

    told = await run("ownership", "facts", await called(database, retailer.id), "SKU-1", "--json")

    assert (told.exit_code, json.loads(told.stdout)) == (0, [])
