"""`tillwire returns`: start, list, show, tell, answer, backlog."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio
from typer.testing import Result

from infra.database.pool import Database
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from tests.scenarios.return_shop import ORDER, ReturnShop, a_return_shop, an_order, returns_go_on
from tests.stage import Stage, open_stage

Run = Callable[..., Awaitable[Result]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def name_of(shop: ReturnShop) -> str:
    async with begin(OperatorScope("test"), shop.stage.database) as session:
        name: str = await session.fetch_value(
            "select p.slug || '/' || t.slug from tenant t join partner p on p.id = t.partner_id"
            " where t.id = $1",
            shop.retailer.tenant_id,
        )
    return name


async def test_a_return_from_start_to_end_by_commands(stage: Stage, run: Run) -> None:
    async with a_return_shop(stage, without=("customer",)) as shop, returns_go_on(stage):
        retailer = await name_of(shop)
        await shop.tell(ORDER, an_order())
        await stage.settled(shop.retailer)
        began = await run(
            "returns", "start", retailer, "--order", "o-1", "--line", "1=2", "--location", "store-1",
            "--as", "Ada",
        )  # fmt: skip
        return_id = began.stdout.strip().rpartition(" ")[2]
        await shop.waits_at("R3")
        backlog = await run("returns", "backlog", retailer, "--json")
        told = await run(
            "returns", "tell", retailer, return_id, "--received", "r1=2",
            "--judged", "r1=2=restock=store-1", "--as", "Ada",
        )  # fmt: skip
        await shop.asked("no_system")
        shown = await run("returns", "show", retailer, return_id, "--json")
        wrong = await run("returns", "answer", retailer, return_id, "no_system", "burn")
        answered = await run(
            "returns", "answer", retailer, return_id, "no_system", "done", "--as", "Ada"
        )
        await shop.ends()
        listed = await run("returns", "list", retailer, "--all", "--json")

    assert (began.exit_code, told.exit_code, answered.exit_code) == (0, 0, 0)
    assert wrong.exit_code == 2
    (waiting,) = json.loads(backlog.stdout)
    assert (waiting["step"], waiting["returns"], waiting["stuck"]) == ("R3", 1, 0)
    (asked,) = json.loads(shown.stdout)["asked"]
    assert asked["words"].startswith("No system is connected that tells the customer.")
    (row,) = json.loads(listed.stdout)
    assert (row["status"], row["back"]) == ("closed_complete", "21.860000")
