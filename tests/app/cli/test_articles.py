"""`tillwire articles`: from the list of the ERP to the decided matches of a shop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from infra.database.pool import Database
from infra.database.unit import begin
from tests.app.cli.conftest import Run
from tests.app.cli.test_names import called
from tests.app.retailer import make_retailer

ERP = "external_id,sku,gtin,title\n10001,TS-1,036000241457,Blue shirt\n10002,CT-1,,Coat\n"
SHOP = "external_id,sku,gtin,title\ngid-1,TS-1,036000241457,Shirt\ngid-2,HAT,,Hat\ngid-3,1E+05,,\n"


async def test_a_shop_is_matched_with_the_articles_of_the_erp(
    run: Run, database: Database, tmp_path: Path
) -> None:
    retailer = await make_retailer(database)
    name = await called(database, retailer.id)
    for connection in ("erp", "shop"):
        await retailer.connect(connection, "http")
    erp, shop = tmp_path / "erp.csv", tmp_path / "shop.csv"
    erp.write_text(ERP, "utf-8")
    shop.write_text(SHOP, "utf-8-sig")

    loaded = [await run("articles", "load", name, "erp", str(erp), "--json") for _ in range(2)]
    proposed = await run("articles", "propose", name, "shop", str(shop), "erp", str(erp), "--json")
    (match,) = json.loads((await run("names", "matches", name, "shop", "--json")).stdout)
    await run("names", "accept", name, match["id"])
    shown = [
        json.loads((await run("names", "show", name, *each, "--json")).stdout)
        for each in (("erp", "10001"), ("shop", "gid-1"))
    ]

    assert [json.loads(each.stdout) for each in loaded] == [
        [{"listed": 2, "new": 2}],
        [{"listed": 2, "new": 0}],
    ]
    assert json.loads(proposed.stdout) == [{"listed": 2, "known": 2, "to decide": 1}]
    assert proposed.stderr.startswith("Row 4 was left out: 1E+05 is what a spreadsheet made")
    assert (match["name"], match["score"]) == ("gid-1", "0.995")
    ((erp_meaning,), (shop_meaning,)) = shown
    assert erp_meaning["identity_id"] == shop_meaning["identity_id"] == match["candidate"]
    assert await _audited(retailer) == [
        "identities.load_objects",
        "identities.bind_name",
    ]


async def test_a_file_that_is_no_list_is_refused_in_words(
    run: Run, database: Database, tmp_path: Path
) -> None:
    retailer = await make_retailer(database)
    name = await called(database, retailer.id)
    await retailer.connect("erp", "http")
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(b"\xff\xfe\x00")

    refused = await run("articles", "load", name, "erp", str(wrong))

    assert (refused.exit_code, refused.stderr) == (2, "wrong.csv: It cannot be read as text.\n")
    assert await _audited(retailer) == []


async def _audited(retailer: Any) -> list[str]:
    async with begin(retailer.scope, retailer.database) as session:
        rows = await session.fetch(
            "select action from audit where action like 'identities.%' order by seq"
        )
    return [row["action"] for row in rows]
