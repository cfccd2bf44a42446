"""The limit of accepting: a bare ASGI application that checks a signature and commits in groups.

No tenants, no encryption, no deduplication, no guards: what is left is the price of the promise.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import asyncpg
import uvicorn

from connectors.sdk.manifest import Webhook
from connectors.sdk.signatures import Refused, verify
from infra.ids import new_id
from tests.benchmarks.rows import RAW_TABLES

MAX_BATCH = 500
_WEBHOOK = Webhook(scheme="standard_webhooks")
_INSERT = """
with message as (
    insert into raw_message select * from unnest($1::uuid[], $2::bytea[]) returning id
)
insert into raw_delivery (id) select id from message
"""


class RawAccept:
    """One route, one flusher, one connection."""

    def __init__(self, secret: str) -> None:
        self._secrets = (secret,)
        self._waiting: list[tuple[Any, bytes, asyncio.Future[None]]] = []
        self._filled = asyncio.Event()

    async def run(self, url: str) -> None:
        """Flush until cancelled."""
        connection = await asyncpg.connect(url)
        await connection.execute(RAW_TABLES)
        while True:
            await self._filled.wait()
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            if not self._waiting:
                self._filled.clear()
            await connection.execute(_INSERT, [row[0] for row in batch], [row[1] for row in batch])
            for _, _, future in batch:
                future.set_result(None)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Accept one request: 202 after its commit."""
        body = b""
        while True:
            part = await receive()
            body += part["body"]
            if not part.get("more_body"):
                break
        headers = {name.decode("latin-1"): value.decode() for name, value in scope["headers"]}
        now_s = int(headers.get("webhook-timestamp", "0"))
        if isinstance(verify(_WEBHOOK, headers, body, self._secrets, now_s), Refused):
            await _answer(send, 401)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((new_id(), body, future))
        self._filled.set()
        await future
        await _answer(send, 202)


async def _answer(send: Any, status: int) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


async def serve(port: int) -> None:
    """Serve until killed; the database and the secret come from the environment."""
    app = RawAccept(os.environ["RAW_SECRET"])
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=port,
            http="httptools",
            loop="uvloop",
            lifespan="off",
            log_config=None,
            access_log=False,
        )
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(app.run(os.environ["RAW_DATABASE_URL"]))
        await server.serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvicorn.Config(RawAccept).get_loop_factory()) as runner:
        runner.run(serve(int(sys.argv[1])))
