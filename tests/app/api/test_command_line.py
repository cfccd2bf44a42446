"""`tillwire ledger` and `tillwire trace`: the same book as the API shows, for the operator."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable

import pytest
from typer.testing import CliRunner, Result

from app.cli.program import program
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from tests.app.api.conftest import Api

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


async def name_of(api: Api) -> str:
    async with begin(OperatorScope("test"), api.shop.stage.database) as session:
        row = await session.fetch_one(
            "select p.slug as partner, t.slug as retailer from tenant t"
            " join partner p on p.id = t.partner_id where t.id = $1",
            api.shop.retailer.tenant_id,
        )
    assert row is not None
    return f"{row['partner']}/{row['retailer']}"


async def test_the_ledger_sums_all_retailers_and_shows_each(api: Api, run: Run) -> None:
    name = await name_of(api)

    told = await run("ledger", "--json")

    books = json.loads(told.stdout)
    (own,) = [row for row in books["retailers"] if row["retailer"] == name]
    assert told.exit_code == (1 if books["unaccounted"] else 0)
    assert (own["accepted"], own["delivered"], own["held"], own["in_flight"]) == (3, 1, 2, 0)
    assert own["unaccounted"] == 0
    for counted in ("accepted", "delivered", "held", "unaccounted"):
        assert books["total"][counted] == sum(row[counted] for row in books["retailers"])


@pytest.mark.parametrize("form", [["--tenant"], []])
async def test_the_ledger_of_one_retailer_shows_its_lines(
    api: Api, run: Run, form: list[str]
) -> None:
    told = await run("ledger", *form, await name_of(api), "--json")

    books = json.loads(told.stdout)
    assert (told.exit_code, books["total"]["accepted"], books["unaccounted"]) == (0, 3, 0)
    assert {line["name"] for line in books["lines"]} == {"source", "source to target 0"}


async def test_a_message_that_was_promised_and_is_not_there_makes_the_ledger_fail(
    api: Api, run: Run
) -> None:
    stage, retailer = api.shop.stage, api.shop.retailer
    async with begin(retailer.scope, stage.database) as session:
        await session.execute(
            "insert into receipt (tenant_id, connection_id, dedup_hash, message_id, body_sha256,"
            " received_at) select tenant_id, connection_id, sha256('lost'), id, sha256('lost'),"
            " now() from message limit 1"
        )

    told = await run("ledger", await name_of(api), "--json")

    assert told.exit_code == 1
    assert json.loads(told.stdout)["unaccounted"] == 1


async def test_a_trace_finds_the_retailer_and_tells_the_life(api: Api, run: Run) -> None:
    name = await name_of(api)

    told = await run("trace", "#1", "--json")
    of_one = await run("trace", "#1", "--tenant", name)

    (own,) = [each for each in json.loads(told.stdout) if each["retailer"] == name]
    assert [entry["kind"] for entry in own["entries"]] == [
        "received", "read", "routed", "attempted", "held",
    ]  # fmt: skip
    assert of_one.exit_code == 0
    assert "Order #1: retail.order.placed.v1" in of_one.stdout


async def test_a_trace_of_nothing_says_so(run: Run) -> None:
    told = await run("trace", "#no-such-order")

    assert told.exit_code == 1
    assert "Nothing is known of #no-such-order." in told.stderr


@pytest.mark.parametrize("reference", ["", "  ", "a\x00b"])
async def test_a_trace_of_no_name_is_refused(run: Run, reference: str) -> None:
    told = await run("trace", reference)

    assert told.exit_code == 2
