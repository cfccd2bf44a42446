"""`tillwire flows` and `tillwire connections`: pause and resume by name, said as it is."""

from __future__ import annotations

import json

from infra.database.pool import Database
from tests.app.cli.conftest import Run
from tests.app.cli.test_hooks import name_of
from tests.app.retailer import Retailer as NamedRetailer
from tests.stage import open_stage


async def test_a_flow_is_paused_listed_and_resumed_by_its_name(
    database: Database, run: Run
) -> None:
    async with open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
        await stage.flow(retailer, "source", "target")
        name = await name_of(NamedRetailer(database, stage.vault, retailer.tenant_id), database)
        flow, why = "source to target 0", ("--reason", "Stock count.", "--json")

        paused = await run("flows", "pause", name, flow, *why)
        twice = await run("flows", "pause", name, flow, *why)
        listed = await run("flows", "list", name, "--json")
        resumed = await run("flows", "resume", name, flow, *why)
        unknown = await run("flows", "pause", name, "no flow", *why)
        system = await run("connections", "pause", name, "target", *why)

    changed = [json.loads(each.stdout)[0]["changed"] for each in (paused, twice, resumed, system)]
    assert changed == [True, False, True, True]
    (row,) = json.loads(listed.stdout)
    assert (row["is_paused"], row["pause_reason"]) == (True, "Stock count.")
    assert (unknown.exit_code, unknown.stderr) == (2, f"{name} has no flow no flow.\n")
