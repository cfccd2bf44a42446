"""One web process answers machines and people: which path is whose."""

from __future__ import annotations

from typing import Any

import pytest

from app.processes.web import WebApp
from infra.web.asgi import App, Receive, Scope, Send

HTML, JSON = b"text/html,application/xhtml+xml", b"*/*"


def answering(name: str, said: list[str]) -> App:
    """Make an application that only says that it was asked."""

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        said.append(name)

    return app


@pytest.mark.parametrize(
    ("method", "path", "accept", "whose"),
    [
        ("GET", "/", HTML, "pages"),
        ("GET", "/now", HTML, "pages"),
        ("POST", "/sign-in", HTML, "pages"),
        ("GET", "/v1/ledger", HTML, "api"),
        ("POST", "/v1/events", JSON, "events"),
        ("POST", "/hooks/abc", JSON, "hooks"),
        ("GET", "/problems/resource.not_found", HTML, "api"),
        ("GET", "/openapi.json", JSON, "api"),
        ("GET", "/livez", JSON, "api"),
        ("GET", "/reconnect/abc", HTML, "pages"),
        ("POST", "/reconnect/abc", JSON, "api"),
    ],
)
async def test_each_path_has_one_answerer(
    method: str, path: str, accept: bytes, whose: str
) -> None:
    said: list[str] = []
    app = WebApp(
        hooks=answering("hooks", said),
        events=answering("events", said),
        api=answering("api", said),
        pages=answering("pages", said),
    )
    scope = {"type": "http", "method": method, "path": path, "headers": [(b"accept", accept)]}

    await app(scope, _nothing, _nothing)

    assert said == [whose]


async def test_without_pages_machines_are_answered_for_every_path() -> None:
    said: list[str] = []
    app = WebApp(
        hooks=answering("hooks", said), events=answering("events", said), api=answering("api", said)
    )

    await app({"type": "http", "method": "GET", "path": "/now", "headers": []}, _nothing, _nothing)

    assert said == ["api"]


async def _nothing(*_: Any) -> Any:
    return {}
