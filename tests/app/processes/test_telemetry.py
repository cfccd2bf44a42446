"""Each process of its own: shows its metrics on a port, reports its faults, ends when it is told to."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import sentry_sdk
import structlog
from uvloop import Loop

from app.cli.fast_loop import run_to_end
from app.processes.start import start_process
from infra.embedded.servers import Servers
from infra.settings import TelemetrySettings
from infra.telemetry.metrics_port import open_metrics
from infra.telemetry.tell_fault import tell_fault
from tests.infra.telemetry.test_sentry import Mailbox, mailbox

__all__ = ["mailbox"]

GUARD_S = 30


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
    return port


async def fetch(port: int, path: str = "/metrics") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@asynccontextmanager
async def process(
    name: str, servers: Servers, login_url: str, **settings: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
    """Run one kind of process as its container does, and give it with its log."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "main.py", name),
        env={
            **os.environ,
            "DATABASE_URL": login_url,
            "REDIS_URL": servers.redis_url,
            "TILLWIRE_MASTER_KEY": base64.b64encode(b"k" * 32).decode(),
            **settings,
        },
        stderr=asyncio.subprocess.PIPE,
    )
    assert running.stderr is not None
    try:
        yield running, running.stderr
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def says(log: asyncio.StreamReader, event: str) -> None:
    """Wait for a line of the log; fails with the whole log when the process ends without it."""
    seen = b""
    async with asyncio.timeout(GUARD_S):
        while line := await log.readline():
            seen += line
            if f'"{event}"'.encode() in line:
                return
    raise AssertionError(seen.decode())


@pytest.mark.parametrize("name", ["worker", "scheduler"])
async def test_a_process_shows_its_metrics_and_ends_on_sigterm(
    name: str, servers: Servers, database_urls: tuple[str, str]
) -> None:
    port = free_port()
    settings = {"TILLWIRE_METRICS_PORT": str(port)}

    async with process(name, servers, database_urls[1], **settings) as (running, log):
        await says(log, f"{name}.started")
        page = await fetch(port)
        running.send_signal(signal.SIGTERM)
        await says(log, f"{name}.stopped")
        async with asyncio.timeout(GUARD_S):
            code = await running.wait()

    assert page.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"delivery_attempts" in page
    assert code == 0


async def test_a_used_metrics_port_stops_the_start_and_is_named(
    servers: Servers, database_urls: tuple[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        settings = {"TILLWIRE_METRICS_PORT": str(door.getsockname()[1])}
        async with process("worker", servers, database_urls[1], **settings) as (running, log):
            async with asyncio.timeout(GUARD_S):
                said = (await log.read()).decode()
                code = await running.wait()

    assert code == 1
    assert "Cannot start: TILLWIRE_METRICS_PORT" in said
    assert "Choose a free port for each process of a machine." in said


async def test_no_port_is_opened_where_none_is_set() -> None:
    async with open_metrics(TelemetrySettings(metrics_port=0)):
        assert [task for task in asyncio.all_tasks() if "serve" in str(task.get_coro())] == []


def test_a_process_of_ours_runs_on_the_fast_loop() -> None:
    seen: list[object] = []

    async def look() -> None:
        seen.append(asyncio.get_running_loop())

    run_to_end(look())

    assert isinstance(seen[0], Loop)


@pytest.fixture
def _log_ends_with_the_test() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("_log_ends_with_the_test")
def test_a_process_reports_faults_where_an_address_is_set(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SENTRY_DSN", f"http://public@127.0.0.1:{mailbox.server_port}/1")

    start_process()
    tell_fault("duty.failed", ValueError("canary"), case="books")
    sentry_sdk.flush(timeout=5)

    (sent,) = [part for part in mailbox.received if b"ValueError" in part]
    assert b"canary" not in sent
    assert b"fault_id" in sent
    assert '"duty.failed"' in capfd.readouterr().err
