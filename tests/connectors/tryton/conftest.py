"""A real Tryton, installed and seeded once per machine and year, served from a copy per session."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.catalog.tryton.local.catalogue import SAMPLE, Article, as_json
from connectors.catalog.tryton.local.install import lock_digest
from connectors.catalog.tryton.local.launch import Plan, Running, launch
from infra import clock
from tests.connectors.tryton.real import Books, HttpTransport
from tests.faultproxy import FaultProxy

ARTICLES = (
    *SAMPLE,
    Article(sku="APPLES", name="Apples", price=Decimal("3.20"), stock=Decimal("50.5"), unit="KGM"),
)
CODE = Path(__file__).parents[3] / "connectors" / "catalog" / "tryton" / "local"


@pytest.fixture(scope="session")
def tryton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    cache = Path(os.environ.get("TILLWIRE_CACHE_DIR", ".tillwire/cache")).resolve() / "tryton"
    cache.mkdir(parents=True, exist_ok=True)
    folder = tmp_path_factory.mktemp("tryton") / "copy"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.copytree(_template(cache), folder)
    running = launch(_plan(folder, cache), _silent)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
async def proxy(tryton: Running) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(int(tryton.base_url.rpartition(":")[2])) as running:
        yield running


@pytest.fixture
async def transport(tryton: Running, proxy: FaultProxy) -> AsyncIterator[HttpTransport]:
    async with HttpTransport(proxy.base_url, tryton.key_file.read_text().strip()) as open_one:
        yield open_one


@pytest.fixture
async def books(tryton: Running) -> AsyncIterator[Books]:
    """Look into Tryton past the proxy."""
    async with HttpTransport(tryton.base_url, tryton.key_file.read_text().strip()) as direct:
        yield Books(direct, tryton.settings)


def _template(cache: Path) -> Path:
    parts = [lock_digest(), as_json(ARTICLES), str(clock.now().year)]
    parts += [path.read_text("utf-8") for path in sorted(CODE.glob("*.py"))]
    folder = cache / hashlib.sha256("".join(parts).encode()).hexdigest()[:16]
    if not (folder / "finished").exists():
        launch(_plan(folder, cache), _silent).stop()
    return folder


def _plan(folder: Path, cache: Path) -> Plan:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    return Plan(folder, port, clock.now().date(), articles=ARTICLES, venv=cache / "venv")


def _silent(line: str) -> None:
    """Tests say nothing on the way."""
