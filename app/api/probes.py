"""`/livez`, `/readyz` and `/metrics`: what the machinery around the process asks."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter, Request

from app.api.parts import ApiParts
from app.api.shapes import Answer
from infra.database.scope import GateScope
from infra.database.unit import begin
from infra.errors import Unavailable
from infra.telemetry.metrics import metrics_app
from infra.web.asgi import Receive, Scope, Send

READY_WITHIN_S = 0.5

routes = APIRouter(tags=["operation"])


class Alive(Answer):
    """The process runs."""

    status: Literal["alive"] = "alive"


class Ready(Answer):
    """The process can keep its promise to senders now."""

    status: Literal["ready"] = "ready"


@routes.get("/livez", summary="Does the process run")
async def livez() -> Alive:
    """Answer without asking anything else: a dead database is no reason to kill the process."""
    return Alive()


@routes.get("/readyz", summary="Can messages be accepted")
async def readyz(request: Request) -> Ready:
    """Answer 200 when a transaction is possible within half a second; never asks Redis."""
    parts: ApiParts = request.app.state.parts
    try:
        async with asyncio.timeout(READY_WITHIN_S), begin(GateScope(), parts.database) as session:
            await session.fetch_value("select 1")
    except TimeoutError:
        raise Unavailable("The book does not answer in time.", retry_after_s=1) from None
    return Ready()


class MetricsPage:
    """Serves `/metrics` under exactly this path; a mount would redirect to another."""

    def __init__(self) -> None:
        self._answer = metrics_app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._answer(scope, receive, send)
