"""Prices over HTTP and on the command line: what holds where, who lacks it, what a manager decides."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.program import program
from app.retail.prices.loop import PriceLoop
from app.retail.voice import core_connection
from connectors.canonical.event import PRICE_SET
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from infra.ids import new_id
from tests.app.api.conftest import Api

Run = Callable[..., Awaitable[Result]]
TARGET = {"connection": "target", "place": "12", "zone": "America/New_York", "currency": "USD"}


@pytest.fixture
def run(database_urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command as a terminal would; in a thread, because commands own their event loop."""
    monkeypatch.setenv("DATABASE_URL", database_urls[1])
    monkeypatch.setenv("TILLWIRE_MASTER_KEY", base64.b64encode(b"k" * 32).decode())
    monkeypatch.setenv("COLUMNS", "400")

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, program, list(arguments))

    return invoke


async def name_of(api: Api) -> str:
    async with begin(OperatorScope("test"), api.shop.stage.database) as session:
        name: str = await session.fetch_value(
            "select p.slug || '/' || t.slug from tenant t join partner p on p.id = t.partner_id"
            " where t.id = $1",
            api.shop.retailer.tenant_id,
        )
    return name


async def tell(api: Api, *prices: dict[str, Any], until: str, expected: int) -> None:
    """Let the source send prices, with the loop and the engine at work until they are there."""
    shop = api.shop
    if "core" not in shop.retailer.connections:
        async with begin(shop.retailer.scope, shop.stage.database) as session:
            shop.retailer.connections["core"] = await core_connection(session)
        await shop.stage.flow(
            shop.retailer, "core", "target", types=[PRICE_SET], ordering="latest_wins", class_=1
        )
    events = [
        {
            "specversion": "1.0", "id": str(new_id()), "source": "erp", "type": PRICE_SET,
            "time": "2026-11-20T10:00:00Z",
            "data": {"sku": "MUG", "currency": "USD", "effective_from": "2026-01-01T00:00", **each},
        }
        for each in prices
    ]  # fmt: skip
    loop = PriceLoop(shop.stage.database, shop.stage.vault, lambda: None)
    async with shop.stage.engine(), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(loop.run())
        await shop.stage.accept(shop.retailer, "source", *events)
        await shop.stage.until(shop.retailer, until, expected)
        running.cancel()


ACTIVE = "select count(*) from price_activation where state = 'active'"
WAITING = "select count(*) from price_version where state = 'held'"


async def test_a_place_its_price_and_how_far_it_has_come(api: Api) -> None:
    made = await api.call("PUT", "/v1/price-targets", json=TARGET | {"scopes": ["region:east"]})
    await tell(api, {"price_id": "P-1", "amount": "9.995"}, until=ACTIVE, expected=1)

    (place,) = (await api.json("/v1/price-targets"))["items"]
    (price,) = (await api.json("/v1/prices?sku=MUG&store=12"))["items"]
    shown = await api.json(f"/v1/prices/{price['version_id']}")
    before = await api.json("/v1/prices?sku=MUG&at=2025-12-31T00:00:00Z")

    assert (made.status_code, place["id"]) == (200, made.json()["id"])
    assert (place["scopes"], place["schedules_ahead"]) == (["region:east"], False)
    assert price["amount"] == {"amount": "9.995", "currency": "USD"}
    assert (price["state"], price["series"], price["price_id"]) == ("active", "shelf/1/EA", "P-1")
    assert (shown["says"], shown["places"][0]["place"]) == ("1 of 1 places have it.", "12")
    assert shown["body"]["amount"] == "9.995"
    assert before["items"] == []


async def test_a_price_that_waits_is_approved_once_and_its_record_goes_on(api: Api) -> None:
    await api.call("PUT", "/v1/price-targets", json=TARGET)
    await tell(api, {"price_id": "P-1", "amount": "0.01"}, until=WAITING, expected=1)

    (held,) = (await api.json("/v1/price-approvals"))["items"]
    path = f"/v1/prices/{held['id']}/approve"
    without_reason = await api.call("POST", path, json={})
    first = await api.call("POST", path, json={"reason": "A promise to the press."})
    second = await api.call("POST", path, json={"reason": "A promise to the press."})
    await tell(api, until=ACTIVE, expected=1)

    assert "placeholder" in held["words"]
    assert without_reason.status_code == 422
    assert (first.status_code, first.json()) == (200, {"id": held["id"], "is_decided": True})
    assert (second.status_code, second.json()["code"]) == (409, "price.not_held")
    assert (await api.json("/v1/price-approvals"))["items"] == []
    shown = await api.json(f"/v1/prices/{held['id']}")
    assert (shown["state"], shown["approved_by"] != "") == ("current", True)


async def test_a_price_is_ended_once_and_holds_nowhere_then(api: Api) -> None:
    await api.call("PUT", "/v1/price-targets", json=TARGET)
    await tell(api, {"price_id": "P-1", "amount": "9.99"}, until=ACTIVE, expected=1)
    (price,) = (await api.json("/v1/prices?sku=MUG"))["items"]

    path = f"/v1/prices/{price['version_id']}/expire"
    first = await api.call("POST", path, json={"reason": "Sent by mistake."})
    second = await api.call("POST", path, json={"reason": "Sent by mistake."})

    assert (first.status_code, second.status_code) == (200, 409)
    assert second.json()["code"] == "price.not_current"
    assert (await api.json("/v1/prices?sku=MUG"))["items"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"zone": "Mars/Olympus"}, "price.zone_unknown"),
        ({"scopes": ["west"]}, "price.scope_unknown"),
        ({"connection": "nobody"}, "price.connection_missing"),
        ({"currency": "usd"}, "request.invalid"),
    ],
)
async def test_a_place_that_cannot_be_is_refused_and_nothing_is_written(
    api: Api, changes: dict[str, Any], code: str
) -> None:
    refused = await api.call("PUT", "/v1/price-targets", json=TARGET | changes)

    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert (await api.json("/v1/price-targets"))["items"] == []


async def test_the_commands_say_the_same(api: Api, run: Run) -> None:
    name = await name_of(api)
    made = await run("prices", "place", name, "target", "12", "America/New_York")
    await tell(
        api,
        {"price_id": "P-1", "amount": "9.99"},
        {"price_id": "P-2", "amount": "0.01", "sku": "PEN"},
        until=ACTIVE,
        expected=1,
    )

    listed = await run("prices", "list", name, "MUG")
    (price,) = (await api.json("/v1/prices?sku=MUG"))["items"]
    shown = await run("prices", "show", name, price["version_id"])
    waiting = await run("prices", "waiting", name, "--json")
    (held,) = (await api.json("/v1/price-approvals"))["items"]
    approved = await run("prices", "approve", name, held["id"], "--reason", "Agreed.")
    ended = await run("prices", "expire", name, price["version_id"], "--reason", "A mistake.")
    again = await run("prices", "expire", name, price["version_id"], "--reason", "A mistake.")
    missing = await run("prices", "missing", name)
    targets = await run("prices", "places", name)

    assert made.output.startswith("Set: ")
    assert "9.99 USD" in listed.output
    assert shown.output.startswith("1 of 1 places have it.")
    assert held["id"] in waiting.output
    assert approved.output == "Approved.\n"
    assert ended.output.startswith("Ended at 20")
    assert again.exit_code == 2
    assert "Only a price or promotion that counts" in again.stderr
    assert (missing.exit_code, missing.output) == (0, "Missing: none\n")
    assert "America/New_York" in targets.output
