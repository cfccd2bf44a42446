"""A port of its own for the metrics of a process that serves nothing else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from infra.settings import TelemetrySettings
from infra.telemetry.events import log_event
from infra.telemetry.metrics import metrics_app


@asynccontextmanager
async def open_metrics(settings: TelemetrySettings) -> AsyncIterator[None]:
    """Serve `/metrics` while the block runs; nothing where no port is set.

    Stops the process with the name of the setting when the port cannot be had.
    """
    if not settings.metrics_port:
        yield
        return
    # `serve` would take the signals for itself, and end the process without a word on a used port.
    server = uvicorn.Server(_config())
    with _listening(settings) as door:
        log_event("metrics.opened", port=settings.metrics_port)
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(server._serve(sockets=[door]))  # noqa: SLF001
            try:
                yield
            finally:
                server.should_exit = True
                await serving


def _config() -> uvicorn.Config:
    return uvicorn.Config(
        metrics_app(),
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=1,
    )


def _listening(settings: TelemetrySettings) -> socket.socket:
    try:
        return socket.create_server((settings.metrics_host, settings.metrics_port))
    except OSError as fault:
        raise SystemExit(
            f"Cannot start: TILLWIRE_METRICS_PORT {settings.metrics_port} on"
            f" {settings.metrics_host} cannot be opened ({fault.strerror})."
            " Choose a free port for each process of a machine."
        ) from None
