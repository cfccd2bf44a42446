"""Channels over the API and the command line: made, tested, changed, removed, audited, never leaked."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from standardwebhooks.webhooks import Webhook
from typer.testing import CliRunner, Result

from app.cli.program import program
from infra.database.pool import Database
from infra.database.scope import OperatorScope, TenantScope
from infra.database.unit import begin
from tenants.audit import NIL
from tenants.roles import Role
from tests.app.api.served import Served, key_of, serve
from tests.app.health.alerts.desk import Desk, Shop
from tests.stage import Stage, open_stage

MAIL = {"kind": "mail", "name": "Desk", "address": "desk@shop.example"}
HOOK = {"kind": "webhook", "name": "Hook", "address": "https://hooks.example/alerts"}
Run = Callable[..., Awaitable[Result]]


@pytest_asyncio.fixture
async def served(database: Database) -> AsyncIterator[tuple[Stage, Served]]:
    async with open_stage(database) as stage, serve(stage) as running:
        yield stage, running


@pytest_asyncio.fixture
async def shop(desk: Desk) -> Shop:
    return await desk.shop(await desk.partner())


@pytest_asyncio.fixture
async def call(
    served: tuple[Stage, Served], shop: Shop
) -> Callable[..., Awaitable[httpx2.Response]]:
    stage, running = served
    key = await key_of(stage, Role.RETAILER_ADMIN, tenant_id=shop.tenant_id)

    async def send(method: str, path: str, **request: Any) -> httpx2.Response:
        return await running.call(method, path, key, **request)

    return send


Call = Callable[..., Awaitable[httpx2.Response]]


async def test_a_channel_is_made_tested_and_removed(desk: Desk, shop: Shop, call: Call) -> None:
    made = await call("POST", "/v1/alert-channels", json=MAIL)
    path = f"/v1/alert-channels/{made.json()['id']}"
    tested = await call("POST", f"{path}/test")
    await desk.send()
    listed = (await call("GET", "/v1/alerts")).json()["items"]
    kept = await call("DELETE", path)
    await call("PATCH", path, json={"is_enabled": False})
    off = await call("POST", f"{path}/test")
    gone = await call("DELETE", path)

    assert (made.status_code, made.json()["secret"]) == (201, None)
    assert (made.json()["least_severity"], made.json()["most_per_hour"]) == ("notable", 10)
    assert tested.status_code == 202
    assert [(each["id"], each["kind"], each["state"]) for each in listed] == [
        (tested.json()["alert_id"], "test", "sent")
    ]
    (mail,) = desk.postbox.mails
    assert mail["Subject"] == "Maple & Main: Test of alerts"
    assert (kept.status_code, kept.json()["code"]) == (409, "alert.channel_in_use")
    assert (off.status_code, off.json()["code"]) == (409, "alert.channel_off")
    assert gone.status_code == 204
    assert (await call("GET", "/v1/alert-channels")).json() == {"items": []}
    assert (await call("GET", path)).status_code == 404


async def test_a_secret_is_shown_once_and_audited_without_it(
    desk: Desk, shop: Shop, call: Call
) -> None:
    made = (await call("POST", "/v1/alert-channels", json=HOOK)).json()
    path = f"/v1/alert-channels/{made['id']}"
    renewed = (await call("POST", f"{path}/secret")).json()["secret"]
    read = await call("GET", path)

    async with begin(shop.scope, desk.database) as session:
        lines = await session.fetch(
            "select action, detail::text from audit where tenant_id = $1 order by seq",
            shop.tenant_id,
        )
    assert made["secret"].startswith("whsec_")
    assert Webhook(renewed) is not None
    assert "whsec_" not in read.text
    assert [row["action"] for row in lines] == ["alerts.add_channel", "alerts.renew_secret"]
    assert not any("whsec_" in row["detail"] for row in lines)
    assert (await call("POST", f"{path}/secret")).status_code == 200


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (
            {"kind": "pager"},
            "alert.kind_unknown",
            "There are channels of these kinds: mail, webhook.",
        ),
        ({"address": "a@b.example, c@d.example"}, "alert.address_invalid", "not one plain e-mail"),
        ({**HOOK, "address": "https://127.0.0.1/x"}, "alert.address_invalid", "loopback"),
        ({**HOOK, "address": "http://hooks.example"}, "alert.address_invalid", "https"),
        ({"name": "a\nb"}, "directory.invalid", "printable"),
        ({"most_per_hour": 0}, "request.invalid", ""),
        ({"least_severity": "worst"}, "request.invalid", ""),
    ],
)
async def test_a_channel_that_cannot_be_is_refused_in_words(
    call: Call, change: dict[str, Any], code: str, words: str
) -> None:
    answer = await call("POST", "/v1/alert-channels", json={**MAIL, **change})

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert words in answer.json()["detail"]
    assert (await call("GET", "/v1/alert-channels")).json() == {"items": []}


async def test_an_address_is_checked_when_it_is_changed(call: Call) -> None:
    made = (await call("POST", "/v1/alert-channels", json=HOOK)).json()
    path = f"/v1/alert-channels/{made['id']}"

    answer = await call("PATCH", path, json={"address": "https://10.1.2.3/x"})

    assert (answer.status_code, answer.json()["code"]) == (422, "alert.address_invalid")
    assert (await call("GET", path)).json()["address"] == HOOK["address"]


async def test_tests_cannot_flood_an_address(call: Call) -> None:
    made = (await call("POST", "/v1/alert-channels", json=MAIL)).json()
    path = f"/v1/alert-channels/{made['id']}/test"

    answers = [(await call("POST", path)).status_code for _ in range(11)]

    assert answers == [202] * 10 + [429]


async def test_there_are_at_most_50_channels(call: Call) -> None:
    for _ in range(50):
        await call("POST", "/v1/alert-channels", json=MAIL)

    answer = await call("POST", "/v1/alert-channels", json=MAIL)

    assert (answer.status_code, answer.json()["code"]) == (409, "alert.too_many_channels")


async def test_a_partners_key_without_a_name_is_about_its_own_channels(
    desk: Desk, shop: Shop, served: tuple[Stage, Served]
) -> None:
    stage, running = served
    key = await key_of(stage, Role.PARTNER_ADMIN, partner_id=shop.partner_id)
    other = await desk.shop(await desk.partner("Zyxwa Ltd"))
    foreign = await key_of(stage, Role.PARTNER_ADMIN, partner_id=other.partner_id)
    own = await key_of(stage, Role.RETAILER_ADMIN, tenant_id=shop.tenant_id)
    made = (await running.call("POST", "/v1/alert-channels", key, json=MAIL)).json()
    path = f"/v1/alert-channels/{made['id']}"

    listed = (await running.call("GET", "/v1/alert-channels", key)).json()["items"]
    of_shop = await running.call("GET", "/v1/alert-channels", key, tenant=shop.tenant_id)
    await running.call("POST", f"{path}/test", key)
    alerts = (await running.call("GET", "/v1/alerts", key)).json()["items"]

    assert made["is_of_partner"] is True
    assert [each["id"] for each in listed] == [made["id"]]
    assert of_shop.json() == {"items": []}
    assert [each["kind"] for each in alerts] == ["test"]
    assert (await running.call("GET", "/v1/alerts", own)).json()["items"] == []
    for stranger in (foreign, own):
        for method in ("GET", "DELETE"):
            assert (await running.call(method, path, stranger)).status_code == 404
    async with begin(TenantScope(NIL), desk.database) as session:
        acts = await session.fetch_value(
            "select count(*) from audit where tenant_id = $1 and subject = $2",
            *(NIL, f"alert_channel:{made['id']}"),
        )
    assert acts == 2


async def test_the_operator_names_a_retailer(served: tuple[Stage, Served], shop: Shop) -> None:
    stage, running = served
    key = await key_of(stage, Role.OPERATOR)

    unnamed = await running.call("GET", "/v1/alert-channels", key)
    named = await running.call("GET", "/v1/alert-channels", key, tenant=shop.tenant_id)

    assert (unnamed.status_code, unnamed.json()["code"]) == (422, "tenant.not_named")
    assert named.status_code == 200


async def test_alerts_are_paged_and_filtered(desk: Desk, shop: Shop, call: Call) -> None:
    channel, _ = await desk.channel(shop.scope, most_per_hour=3)
    for number in range(5):
        await desk.incident(shop, fingerprint=f"cause {number}")
    await desk.tell()

    first = (await call("GET", "/v1/alerts?limit=4")).json()
    rest = (await call("GET", f"/v1/alerts?limit=4&cursor={first['next_cursor']}")).json()
    sent = (await call("GET", f"/v1/alerts?state=sent&channel={channel.id}")).json()

    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (4, 2, None)
    assert [each["state"] for each in sent["items"]] == ["sent"] * 3
    assert sent["items"][0]["channel"] == "Desk"
    assert "At risk: USD 412,000.10" in sent["items"][0]["words"].splitlines()


@pytest.fixture
def run(database_urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command as a terminal would; in a thread, because commands own their event loop."""
    monkeypatch.setenv("DATABASE_URL", database_urls[1])
    monkeypatch.setenv("TILLWIRE_MASTER_KEY", base64.b64encode(b"k" * 32).decode())
    monkeypatch.setenv("COLUMNS", "200")

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, program, list(arguments))

    return invoke


async def test_the_command_line_does_the_same(desk: Desk, shop: Shop, run: Run) -> None:
    async with begin(OperatorScope("test"), desk.database) as session:
        name = await session.fetch_value(
            "select p.slug || '/' || t.slug from tenant t join partner p on p.id = t.partner_id"
            " where t.id = $1",
            shop.tenant_id,
        )
    added = await run(
        *("alerts", "channels", "add", name, "webhook", "https://hooks.example/x"),
        *("--name", "Hook", "--least-severity", "severe", "--json"),
    )
    (channel,) = json.loads(added.stdout)
    listed = await run("alerts", "channels", "list", name, "--json")
    tested = await run("alerts", "channels", "test", name, channel["id"], "--json")
    alerts = await run("alerts", "list", name, "--json")
    removed = await run("alerts", "channels", "remove", name, channel["id"])
    missing = await run("alerts", "channels", "test", name, channel["id"])
    refused = await run("alerts", "channels", "add", name, "mail", "nobody", "--name", "x")

    assert channel["secret"].startswith("whsec_")
    assert [(each["name"], each["told from"]) for each in json.loads(listed.stdout)] == [
        ("Hook", "severe")
    ]
    assert "whsec_" not in listed.stdout
    assert tested.exit_code == 0
    assert [(each["kind"], each["state"]) for each in json.loads(alerts.stdout)] == [
        ("test", "pending")
    ]
    assert removed.exit_code == 0
    assert (missing.exit_code, refused.exit_code) == (2, 2)
    assert "not one plain e-mail address" in refused.stderr
