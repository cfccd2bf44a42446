"""`tillwire replay`: the same as the API, for the operator."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli.program import program
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from tests.app.exceptions.replay.conftest import Replays, replays
from tests.stage import order_event

__all__ = ["replays"]

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(database_urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command as a terminal would; in a thread, because commands own their event loop."""
    monkeypatch.setenv("DATABASE_URL", database_urls[1])
    monkeypatch.setenv("TILLWIRE_MASTER_KEY", base64.b64encode(b"k" * 32).decode())
    monkeypatch.setenv("COLUMNS", "200")

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, program, list(arguments))

    return invoke


@asynccontextmanager
async def worker(shop: Replays) -> AsyncIterator[None]:
    """Let loop and engine run beside the commands."""
    async with shop.shop.stage.engine(), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(shop.loop.run())
        yield
        running.cancel()


async def name_of(shop: Replays) -> str:
    async with begin(OperatorScope("test"), shop.shop.stage.database) as session:
        name: str = await session.fetch_value(
            "select p.slug || '/' || t.slug from tenant t join partner p on p.id = t.partner_id"
            " where t.id = $1",
            shop.shop.retailer.tenant_id,
        )
    return name


async def test_a_replay_from_preview_to_receipt(
    replays: Replays,
    run: Run,
    tmp_path: Path,
) -> None:
    replays.shop.target.refused.add("o-1")
    await replays.shop.sell(order_event(1))
    replays.shop.target.refused.clear()
    hold = await replays.shop.one_hold()

    async with worker(replays):
        asked = await run(
            *("replay", "preview", "--hold", str(hold.id), "--reason", "Mended.", "--as", "Ada"),
            "--json",
        )
        preview = json.loads(asked.stdout)
        started = await run("replay", "start", preview["id"], "--as", "Ada", "--wait")
        receipt = await run("replay", "receipt", preview["id"], "--csv", str(tmp_path / "r.csv"))

    assert (asked.exit_code, preview["state"], preview["chosen"]) == (0, "previewed", 1)
    assert (started.exit_code, receipt.exit_code) == (0, 0), started.output
    assert "As promised in 1 of 1." in started.stdout
    assert "Differences: none" in receipt.stdout
    assert (tmp_path / "r.csv").read_text().count("\n") == 2
    actors = await replays.shop.stage.rows(
        replays.shop.retailer, "select distinct actor from audit where action like 'replays.%'"
    )
    assert actors == [{"actor": "person:Ada"}]


async def test_a_filter_needs_a_retailer_and_a_wrong_one_is_explained(
    replays: Replays,
    run: Run,
) -> None:
    unnamed = await run("replay", "preview", "--code", "target.refused", "--reason", "Mended.")
    both = await run(
        *("replay", "preview", "--code", "target.refused", "--reason", "Mended."),
        *("--hold", "019f2c11-0000-7000-8000-000000000001", "--tenant", await name_of(replays)),
    )
    missing = await run("replay", "show", "019f2c11-0000-7000-8000-000000000001")
    unknown = await run("replay", "preview", "--incident", "00000000abcd", "--reason", "Mended.")

    assert (unnamed.exit_code, unnamed.stderr.strip()) == (
        2,
        "Name the retailer with --tenant partner/retailer.",
    )
    assert (both.exit_code, unknown.exit_code) == (2, 2)
    assert both.stderr.startswith("Choose in one way")
    assert (missing.exit_code, missing.stderr.strip()) == (
        2,
        "There is nothing here, or you may not see it.",
    )


async def test_approving_needs_another_name(replays: Replays, run: Run) -> None:
    replays.shop.target.refused.add("o-1")
    await replays.shop.sell(order_event(1))
    preview = await replays.preview(code="target.refused")
    await replays.shop.stage.write(replays.shop.retailer, "update replay set needs_approval = true")

    await run("replay", "start", str(preview.id), "--as", "ada")
    same = await run("replay", "approve", str(preview.id), "--as", "ada")
    other = await run("replay", "approve", str(preview.id), "--as", "grace")
    stopped = await run("replay", "cancel", str(preview.id), "--as", "grace")

    assert (same.exit_code, other.exit_code, stopped.exit_code) == (2, 0, 0)
    assert same.stderr.startswith("This replay needs a second person.")
    assert (await replays.read(preview.id)).state == "cancelled"
