"""A retailer with an emulated web shop, tills and a real ERP behind a line that can be disturbed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import uvicorn
from pydantic import SecretStr

from app.connections.hooks import issue_hook
from app.connections.secrets import put_secret
from app.connections.streams import ensure_streams
from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from app.intake.asking import Asker
from app.intake.poll import Poller
from connectors.catalog.shopify.emulator import ShopState
from connectors.catalog.shopify.emulator import app as shop_app
from connectors.catalog.shopify.emulator.state import LOCATION_GID
from connectors.catalog.tryton.local.launch import Running
from connectors.registry import manifest
from infra.database.unit import begin
from infra.embedded.servers import Servers
from tests.connectors.tryton.real import Books, HttpTransport
from tests.faultproxy import FaultProxy
from tests.scenarios.patience import until
from tests.stage import SECRET, Retailer, Stage

# A real ERP needs more time for one order than a recording target.
PACE = {"call_deadline_s": 8.0, "lease_s": 10.0, "retry_scale": 50.0}
SALE_CREATED = r"/rest/model/sale\.sale\?"


@dataclass
class ErpShop:
    """The retailer and everything around it."""

    stage: Stage
    retailer: Retailer
    shop: ShopState
    proxy: FaultProxy
    books: Books
    settings: dict[str, Any] = field(default_factory=dict)

    async def connect(self, url: str) -> None:
        """Configure the three systems; the ERP is reached through the line that can be disturbed."""
        stage, retailer = self.stage, self.retailer
        rows = await self.books.api().search("product.product", [["code", "!=", None]], ("code",))
        ids = {row["code"]: row["id"] for row in rows}
        numbers = range(1, 21)
        known = manifest("tryton").settings
        erp = {name: value for name, value in self.settings.items() if name in known}
        erp["products"] = {f"MM-{n:04}": ids[f"SKU-{n:03}"] for n in numbers}
        articles = [article.item_gid for article in self.shop.articles.values()]
        await stage.connect(
            retailer,
            "shop",
            "shopify",
            base_url=url,
            shop_domain=self.shop.shop_domain,
            currency="USD",
            locations={"main": LOCATION_GID},
            inventory_items={f"SKU-{n:03}": articles[n - 1] for n in numbers},
        )
        await stage.connect(
            retailer,
            "tills",
            "pos_files",
            dialect="poslog_ncr",
            timezone="America/New_York",
            currency="USD",
        )
        await stage.connect(retailer, "erp", "tryton", base_url=self.proxy.base_url, **erp)
        await stage.give_secret(retailer, "shop", ["access_token", "webhook_secret"])

    async def give_erp_key(self, text: str) -> None:
        key = await self.stage.vault.current(self.retailer.tenant_id)
        async with begin(self.retailer.scope, self.stage.database) as session:
            connection_id = self.retailer.connections["erp"]
            await put_secret(session, key, connection_id, "key", SecretStr(text))
            await ensure_streams(session, connection_id, "tryton")

    async def hook(self) -> str:
        """Give the path of the shop's webhook address."""
        async with begin(self.retailer.scope, self.stage.database) as session:
            return f"/hooks/{await issue_hook(session, self.retailer.connections['shop'])}"

    async def sales(self, number: str) -> list[dict[str, Any]]:
        """Look past the line: what stands in the ERP under an order's number."""
        fields = ("state", "total_amount", "lines.quantity")
        return await self.books.api().search("sale.sale", [["reference", "=", number]], fields)

    async def quantities(self) -> dict[str, Decimal]:
        """Give what the ERP has in its store, by SKU."""
        context = {"locations": [self.settings["storage_location"]]}
        rows = await self.books.api().search(
            "product.product", [["code", "like", "SKU-%"]], ("code", "quantity"), context=context
        )
        return {row["code"]: Decimal(row["quantity"]) for row in rows}

    def shown(self) -> dict[str, Decimal]:
        """Give what the web shop shows as available, by the ERP's SKU."""
        return {
            f"SKU-{article.number:03}": Decimal(self.shop.available[article.item_gid, LOCATION_GID])
            for article in self.shop.articles.values()
        }

    @asynccontextmanager
    async def polled(self) -> AsyncIterator[None]:
        """Ask the ERP for its stock again and again until the block ends."""
        database = self.stage.database
        watch = ConnectionWatch(database)
        transports = Transports(self.stage.egress, database, watch)
        asker = Asker(self.stage.connections, transports.of, watch)
        poller = Poller(database, asker, self.stage.writer, self.stage.settings)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(run) for run in (poller.run(), transports.run())]
            yield
            for task in running:
                task.cancel()


@asynccontextmanager
async def open_erp_shop(stage: Stage, tryton: Running) -> AsyncIterator[ErpShop]:
    """Set everything up until the block ends."""
    state = ShopState(seed=11, access_token=SECRET, webhook_secret=SECRET, retry_s=0.05)
    key = tryton.key_file.read_text().strip()
    port = int(tryton.base_url.rpartition(":")[2])
    async with (
        serve_shop(state) as url,
        FaultProxy(port) as proxy,
        HttpTransport(tryton.base_url, key) as direct,
    ):
        settings = dict(tryton.settings)
        shop = ErpShop(stage, await stage.retailer(), state, proxy, Books(direct, settings))
        shop.settings = settings
        await shop.connect(url)
        await shop.give_erp_key(key)
        yield shop


class _QuietServer(uvicorn.Server):
    """A server inside the test process, which keeps its own signal handlers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve_shop(state: ShopState) -> AsyncIterator[str]:
    """Serve the emulated shop on a free port of this machine."""
    config = uvicorn.Config(shop_app(state), port=0, log_level="critical", lifespan="on")
    server = _QuietServer(config)

    async def is_started() -> bool:
        return server.started

    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve())
        await until(is_started, "the emulated shop serves")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = True
        await serving


class WorkerProcess:
    """One real worker of the product, which can be killed."""

    def __init__(self, servers: Servers, app_url: str, log: Path) -> None:
        environment = {
            "DATABASE_URL": app_url,
            "REDIS_URL": servers.redis_url,
            "TILLWIRE_MASTER_KEY": base64.b64encode(b"k" * 32).decode(),
            "EGRESS_ALLOW": "127.0.0.0/8",
            "TILLWIRE_LEASE_S": "4",
            "TILLWIRE_CALL_DEADLINE_S": "3.5",
            "TILLWIRE_RETRY_SCALE": "50",
            "TILLWIRE_POLL_S": "0.1",
        }
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "main", "worker"],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=Path(__file__).parents[2],
                env={**kept, **environment},
            )

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End it politely."""
        self._process.terminate()
        self._process.wait(15)
