"""The way out: relative paths only, credentials after the host check, nothing told back."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web

from app.connections.credentials import credential_headers
from app.connections.directory import BookedConnection, ConnectionBook
from app.connections.secrets import SealedSecret, Secrets, seal_context
from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from connectors.sdk.manifest import Auth, Webhook
from connectors.sdk.signatures import Verified, verify
from connectors.sdk.transport import AnswerLost, Call, NotSent
from infra.clock import unix_s
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.egress.client import EgressClient
from infra.egress.policy import EgressPolicy
from infra.ids import new_id
from infra.keys.vault import TenantKey
from tests.app.retailer import make_retailer

SECRET = "credential-0123456789"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Target:
    """A target on this machine that notes every request and answers as told."""

    url: str = ""
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    echoes: bool = False
    drops: bool = False

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): text for name, text in request.headers.items()}
        self.seen.append((request.method, request.raw_path, headers, body))
        if self.drops and request.transport is not None:
            request.transport.abort()
        text = repr(headers) if self.echoes else "fine"
        return web.Response(status=self.status, headers=self.headers, text=text)


@pytest_asyncio.fixture
async def target() -> AsyncIterator[Target]:
    fake = Target()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await runner.cleanup()


@pytest_asyncio.fixture
async def transports(database: Database) -> AsyncIterator[Transports]:
    async with open_transports(database, frozenset({"127.0.0.1"})) as opened:
        yield opened


@asynccontextmanager
async def open_transports(database: Database, allow: frozenset[str]) -> AsyncIterator[Transports]:
    """Run the transports of one process until the block ends."""
    async with EgressClient(EgressPolicy(allow=allow)) as egress, asyncio.TaskGroup() as tasks:
        opened = Transports(egress, database, ConnectionWatch(database))
        running = tasks.create_task(opened.run())
        try:
            yield opened
        finally:
            running.cancel()
            await opened.close()


async def booked(
    database: Database,
    base_url: str,
    *,
    with_key: bool = True,
    connector: str = "tryton",
    field: str = "key",
) -> BookedConnection:
    retailer = await make_retailer(database)
    connection_id = await retailer.connect("erp", connector, base_url=base_url)
    if with_key:
        await retailer.store(connection_id, field, SECRET)
    found = await ConnectionBook(database, retailer.vault).find(retailer.id, connection_id)
    assert found is not None
    return found


async def test_a_call_reaches_the_target_below_its_base_url_with_credential_and_trace(
    database: Database, target: Target, transports: Transports
) -> None:
    erp = await booked(database, f"{target.url}/shop/")
    call = Call("POST", "/sale/1", query={"a": "b c"}, headers={"x-own": "1"}, body=b"{}")

    answer = await transports.of(erp, TRACE).request(call)

    assert (answer.status, answer.body) == (200, b"fine")
    method, path, headers, body = target.seen[0]
    assert (method, path, body) == ("POST", "/shop/sale/1?a=b+c", b"{}")
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert (headers["x-own"], headers["traceparent"]) == ("1", TRACE)


async def test_a_connector_cannot_replace_the_credential(
    database: Database, target: Target, transports: Transports
) -> None:
    erp = await booked(database, target.url)

    await transports.of(erp).request(Call("GET", "/", headers={"AUTHORIZATION": "Bearer mine"}))

    assert target.seen[0][2]["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    "path",
    [
        "sale", "//evil.example/x", "https://evil.example/", "/a/../b", "/..", "/a/..;x/b",
        "/%2e%2e/b", "/a/%2E./b", "/a%2f..%2fb", "/\\evil.example", "/a\\..\\b", "/a?x=1", "/a#b",
        "/a b", "/a\r\nhost: x", "/a//b", "",
    ],
)  # fmt: skip
async def test_a_path_that_could_lead_elsewhere_is_not_sent(
    database: Database, target: Target, transports: Transports, path: str
) -> None:
    erp = await booked(database, target.url)

    with pytest.raises(NotSent) as refusal:
        await transports.of(erp).request(Call("GET", path))

    assert refusal.value.code == "connection.path_refused"
    assert target.seen == []


async def test_a_connection_without_its_credential_sends_nothing(
    database: Database, target: Target, transports: Transports
) -> None:
    erp = await booked(database, target.url, with_key=False)

    with pytest.raises(NotSent) as refusal:
        await transports.of(erp).request(Call("GET", "/"))

    assert refusal.value.code == "connection.credentials_missing"
    assert target.seen == []


async def test_a_credential_sealed_for_another_host_is_not_sent(
    database: Database, target: Target, transports: Transports
) -> None:
    erp = await booked(database, "https://erp.example")
    moved = await booked(database, target.url, with_key=False)
    stolen = BookedConnection(moved.config, erp.secrets)
    stolen = BookedConnection(moved.config, _bound_to(stolen.secrets, moved.config.origin))

    with pytest.raises(NotSent) as refusal:
        await transports.of(stolen).request(Call("GET", "/"))

    assert refusal.value.code == "connection.credentials_unreadable"
    assert SECRET not in str(refusal.value)
    assert target.seen == []


async def test_a_target_that_repeats_our_credential_is_not_heard(
    database: Database, target: Target, transports: Transports
) -> None:
    target.echoes, target.status = True, 400
    target.headers = {"x-echo": f"you sent {SECRET}"}
    erp = await booked(database, target.url)

    answer = await transports.of(erp).request(Call("GET", "/"))

    assert answer.status == 400
    assert SECRET.encode() not in answer.body
    assert b"[redacted]" in answer.body
    assert answer.headers["x-echo"] == "you sent [redacted]"


async def test_a_lost_answer_is_not_taken_for_an_unsent_call(
    database: Database, target: Target, transports: Transports
) -> None:
    target.drops = True
    erp = await booked(database, target.url)

    with pytest.raises(AnswerLost):
        await transports.of(erp).request(Call("POST", "/sale", body=b"{}"))

    assert len(target.seen) == 1


async def test_a_private_address_that_is_not_allowed_is_not_reached(database: Database) -> None:
    erp = await booked(database, "https://127.0.0.1:9")

    async with open_transports(database, frozenset()) as transports:
        with pytest.raises(NotSent) as refusal:
            await transports.of(erp).request(Call("GET", "/"))

    assert refusal.value.code == "egress.address_blocked"


async def test_a_target_that_asks_for_patience_is_left_alone(
    database: Database, target: Target, transports: Transports
) -> None:
    target.status, target.headers = 429, {"Retry-After": "30"}
    erp = await booked(database, target.url)

    first = await transports.of(erp).request(Call("GET", "/"))
    with pytest.raises(NotSent) as refusal:
        await transports.of(erp).request(Call("GET", "/"))

    assert first.status == 429
    assert refusal.value.code == "pace.exhausted"
    assert refusal.value.after_s is not None
    assert 25 < refusal.value.after_s <= 31
    assert len(target.seen) == 1


def test_each_scheme_puts_the_credential_where_the_manifest_says() -> None:
    secrets = _secrets(username="till", password="pass-word", token="tok", field="tok")

    basic = credential_headers(Auth(scheme="basic"), secrets, {}, b"")
    header = credential_headers(
        Auth(scheme="header", field="token", header="X-Key"), secrets, {}, b""
    )
    none = credential_headers(Auth(), secrets, {}, b"")

    assert basic == {"Authorization": "Basic " + base64.b64encode(b"till:pass-word").decode()}
    assert header == {"X-Key": "tok"}
    assert none == {}


def test_a_signed_call_verifies_under_the_name_the_connector_gave_it() -> None:
    key = "whsec_" + base64.b64encode(b"k" * 24).decode()
    auth = Auth(scheme="standard_webhooks", field="signing")
    named = {"Webhook-Id": "effect-1"}

    added = credential_headers(auth, _secrets(signing=key), named, b"{}")

    checked = verify(Webhook(scheme="standard_webhooks"), added, b"{}", [key], unix_s())
    assert isinstance(checked, Verified)
    assert checked.event_id == "effect-1"


def _secrets(**values: str) -> Secrets:
    key, connection_id = TenantKey(new_id(), 202611, b"k" * 32), new_id()
    return Secrets(
        connection_id,
        "",
        [
            SealedSecret(
                name, key.seal(seal_context(connection_id, name, ""), value.encode()), key, None
            )
            for name, value in values.items()
        ],
    )


def _bound_to(secrets: Secrets, origin: str) -> Secrets:
    """Pretend that stored credentials belong to another host."""
    return Secrets(secrets._connection_id, origin, secrets._sealed)


async def test_a_vendor_that_answers_with_another_version_has_changed(
    database: Database, target: Target, transports: Transports
) -> None:
    shop = await booked(database, target.url, connector="shopify", field="access_token")
    scope = TenantScope(shop.config.tenant_id)

    for version in ("2026-07", "2026-07", "2026-10", "2026-10"):
        target.headers = {"X-Shopify-API-Version": version}
        await transports.of(shop).request(Call("GET", "/admin"))

    async with begin(scope, database) as session:
        rows = await session.fetch(
            "select words, detail ->> 'is_first' as is_first from change"
            " where kind = 'vendor_api' order by at"
        )
    assert [tuple(row) for row in rows] == [
        ("erp answers with version 2026-07 of its interface.", "true"),
        ("erp answers with version 2026-10 of its interface instead of 2026-07.", "false"),
    ]
