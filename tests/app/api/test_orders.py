"""Orders over HTTP and on the command line: what they come to, the proof of a day, cancelling one."""

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


async def test_an_order_is_read_with_its_agreements_and_where_it_is_stuck(api: Api) -> None:
    refused = await api.one("/v1/orders?number=%231")

    found = await api.json(f"/v1/orders/{refused['id']}")

    (agreed,) = found["agreed"]
    assert (refused["status"], refused["standing"]) == (
        "open",
        {"amount": "20.00", "currency": "USD"},
    )
    assert (agreed["reason"], agreed["total"]["amount"], agreed["posting"]) == (
        "order",
        "20.00",
        "due",
    )
    assert agreed["lines"] == [
        {
            "type": "product", "line_id": "1", "sku": "SKU-001", "refund": "", "quantity": "1",
            "net": "20", "discount": "0", "tax": "0", "gross": "20",
        }
    ]  # fmt: skip
    assert found["stuck"][0].startswith("Order #1 is held before target: ")
    assert [(fate["target"], fate["state"]) for fate in found["fates"]] == [("target", "held")]


async def test_the_proof_of_a_day_explains_what_is_not_at_the_target(api: Api) -> None:
    proof = await api.one("/v1/order-completeness?day=2026-11-20")

    assert (proof["channel"], proof["listed"], proof["is_complete"]) == ("source", None, True)
    (target,) = proof["targets"]
    assert target["explained"] == {"waits for a person": 1}
    assert proof["words"] == (
        f"2026-11-20: here {target['orders'] + 1} = target {target['orders']} + 1 explained"
        " (source cannot be asked for a list)"
    )


async def test_orders_come_page_by_page_and_each_once(api: Api) -> None:
    first = await api.json("/v1/orders?limit=1")

    second = await api.json(f"/v1/orders?limit=200&cursor={first['next_cursor']}")

    ids = [each["id"] for each in first["items"] + second["items"]]
    everything = await api.json("/v1/orders?limit=200")
    assert ids == [each["id"] for each in everything["items"]]
    assert len(set(ids)) == len(ids) > 1


async def test_an_order_is_cancelled_once_and_by_name(api: Api) -> None:
    order = await api.one("/v1/orders?number=%231")
    path = f"/v1/orders/{order['id']}/cancel"

    done = await api.call("POST", path, json={"reason": "Sold out."})
    again = await api.call("POST", path, json={"reason": "Sold out."})

    assert (done.status_code, done.json()["meaning"]) == (200, "asked")
    assert (again.status_code, again.json()["code"]) == (409, "order.cancelled_before")
    found = await api.json(f"/v1/orders/{order['id']}")
    assert [each["reason"] for each in found["agreed"]] == ["order", "cancellation"]
    assert (found["status"], found["standing"]["amount"]) == ("cancelled", "0.00")
    audit = await api.shop.stage.rows(
        api.shop.retailer, "select actor from audit where action = 'orders.cancel_order'"
    )
    assert len(audit) == 1


async def test_orders_on_the_command_line(api: Api, run: Run) -> None:
    retailer = await name_of(api)
    order = await api.one("/v1/orders?number=%231")

    listed = await run("orders", "list", retailer, "--number", "#1", "--json")
    shown = await run("orders", "show", retailer, order["id"])
    proof = await run("orders", "completeness", retailer, "2026-11-20")
    deadlines = await run("orders", "deadlines", retailer)
    unknown = await run("orders", "show", retailer, "nonsense")
    cancelled = await run(
        "orders", "cancel", retailer, order["id"], "--reason", "Sold out.", "--as", "Ada"
    )

    assert [row["status"] for row in json.loads(listed.stdout)] == ["open"]
    assert "! Order #1 is held before target:" in shown.stdout
    assert (proof.exit_code, "2026-11-20: here" in proof.stdout) == (0, True)
    assert deadlines.stdout == "Deadlines: none\n"
    assert unknown.exit_code == 2
    assert cancelled.stdout.startswith("Other systems have it and are told to stop.")
