"""How a web process is served: uvicorn with our protocol class, believing nobody by default."""

from __future__ import annotations

import logging

import uvicorn

from infra.settings import WebSettings
from infra.web.asgi import App
from infra.web.protocol import DoorLimits, guarded_protocol


def server_config(app: App, settings: WebSettings) -> uvicorn.Config:
    """Configure one web process; `app` is the `WebGuard` around everything.

    uvicorn's own trust in 127.0.0.1 as a proxy, its Server header, its access log, WebSockets and
    its warnings about unreadable requests (a stranger could fill the log) are off.
    """
    door = DoorLimits(
        header_deadline_s=settings.header_deadline_s,
        max_connections_per_address=settings.max_connections_per_address,
    )
    config = uvicorn.Config(
        app,
        host=settings.bind_host,
        port=settings.bind_port,
        http=guarded_protocol(door),
        ws="none",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=round(settings.idle_deadline_s),
    )
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return config
