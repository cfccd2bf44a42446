"""The real web process in front of a retailer: signed webhooks, API calls, and bytes on the wire."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from app.connections.hooks import issue_hook
from app.intake.incoming import body_context
from connectors.sdk.signatures import sign_standard
from infra import clock
from infra.database.unit import begin
from infra.ids import Id, new_id
from tenants.roles import Role
from tests.app.api.served import Served, key_of
from tests.scenarios.told import KeepingTarget
from tests.scenarios.wholesaler import Wholesaler, open_wholesaler
from tests.stage import SECRET, Stage


@dataclass(frozen=True)
class Door:
    """A retailer with a hook, an API key, and the engine behind."""

    served: Served
    shop: Wholesaler
    hook: str
    key: str

    @property
    def stage(self) -> Stage:
        return self.shop.stage

    async def webhook(
        self, body: bytes, *, msg_id: str = "", secret: str = SECRET, **headers: str
    ) -> httpx2.Response:
        """Send a webhook as its sender would, signed; headers with underscores replace ours."""
        signed = sign_standard(secret, msg_id or f"msg_{new_id().hex}", clock.unix_s(), body)
        told = {name.replace("_", "-"): text for name, text in headers.items()}
        sent = {"content-type": "application/json"} | signed | told
        kept = {name: text for name, text in sent.items() if text}
        return await self.served.call("POST", self.hook, headers=kept, content=body)

    async def api(self, body: bytes, **headers: str) -> httpx2.Response:
        """Send an event under the retailer's key."""
        told = {name.replace("_", "-"): text for name, text in headers.items()}
        sent = {"content-type": "application/json"} | told
        kept = {name: text for name, text in sent.items() if text}
        return await self.served.call("POST", "/v1/events", self.key, headers=kept, content=body)

    async def raw(self, request: bytes) -> int:
        """Send bytes as they are; gives the status, 0 when the line ends without an answer."""
        port = int(self.served.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.timeout(20):
                writer.write(request)
                line = await reader.readline()
            return int(line.split()[1]) if line else 0
        except ConnectionError:
            return 0
        finally:
            writer.close()

    async def stored(self) -> int:
        """Count what is in the book of this retailer."""
        (row,) = await self.stage.rows(
            self.shop.retailer,
            "select (select count(*) from message) + (select count(*) from message_body)"
            " + (select count(*) from receipt) as count",
        )
        return int(row["count"])

    async def body_of(self, message_id: str) -> bytes:
        """Open the stored body of a message."""
        tenant_id = self.shop.retailer.tenant_id
        async with begin(self.shop.retailer.scope, self.stage.database) as session:
            row = await session.fetch_one(
                "select sealed, period, body_sha256 from message_body where message_id = $1",
                Id(message_id),
            )
            assert row is not None
            key = await self.stage.vault.of(tenant_id, row["period"], session)
            body = key.open(body_context(Id(message_id)), row["sealed"])
        assert hashlib.sha256(body).digest() == row["body_sha256"]
        return body


async def open_door(stage: Stage, target: KeepingTarget, served: Served) -> Door:
    """Set up a fresh retailer behind a running web process."""
    shop = await open_wholesaler(stage, target)
    await stage.give_secret(shop.retailer, "source", ["webhook_secret"])
    async with begin(shop.retailer.scope, stage.database) as session:
        token = await issue_hook(session, shop.retailer.connections["source"])
    key = await key_of(stage, Role.CONNECTOR, tenant_id=shop.retailer.tenant_id)
    return Door(served, shop, f"/hooks/{token}", key)


def written(event: Mapping[str, Any], *changes: tuple[str, str]) -> bytes:
    """Write an event as JSON and change its text; each change must find something."""
    text = json.dumps(event)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode("utf-8", "surrogatepass")
