"""The emulated shop's web side: the GraphQL door, and a console for whoever runs the show."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.catalog.shopify.documents import API_VERSION, PATH
from connectors.catalog.shopify.emulator.graphql import answer_graphql
from connectors.catalog.shopify.emulator.hooks import run_shop
from connectors.catalog.shopify.emulator.orders import place_order, refund_order
from connectors.catalog.shopify.emulator.state import LOCATION_GID, ShopState

_FAULTS = {
    *("too_many_requests", "server_errors", "dropped_answers", "duplicate_webhooks"),
    "lost_webhooks",
}


class _Dropped(Response):
    """An answer that begins and never ends: the caller cannot know what happened."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def app(state: ShopState) -> ASGIApp:
    """Build the shop over its state; orders and webhooks run while the app does."""
    return _Shop(state).built()


class _Shop:
    def __init__(self, state: ShopState) -> None:
        self.state = state

    def built(self) -> ASGIApp:
        routes = [
            Route(PATH, self.graphql, methods=["POST"]),
            Route("/console/orders", self.place_orders, methods=["POST"]),
            Route("/console/refunds", self.refund, methods=["POST"]),
            Route("/console/faults", self.plan_faults, methods=["POST"]),
            Route("/console/settings", self.change_settings, methods=["POST"]),
            Route("/console/stock", self.show_stock),
            Route("/console/stock", self.set_stock, methods=["POST"]),
            Route("/console/log", self.show_log),
        ]
        return Starlette(routes=routes, lifespan=self.lifespan)

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            shop = group.create_task(run_shop(self.state))
            yield
            shop.cancel()

    async def graphql(self, request: Request) -> Response:
        token = request.headers.get("x-shopify-access-token", "")
        if not hmac.compare_digest(token.encode(), self.state.access_token.encode()):
            self.state.note("refused", status=401)
            return JSONResponse({"errors": "[API] Invalid API key or access token"}, 401)
        fault = self._planned_fault()
        if fault is not None:
            return fault
        try:
            asked = json.loads(await request.body())
        except ValueError:
            return JSONResponse({"errors": "Bad Request"}, 400)
        if not isinstance(asked, dict):
            return JSONResponse({"errors": "Bad Request"}, 400)
        self.state.note("request", operation=asked.get("operationName"))
        answer = answer_graphql(self.state, asked)
        if self.state.faults.dropped_answers > 0:
            self.state.faults.dropped_answers -= 1
            self.state.note("dropped", operation=asked.get("operationName"))
            return _Dropped()
        return JSONResponse(answer, headers={"X-Shopify-API-Version": API_VERSION})

    def _planned_fault(self) -> Response | None:
        faults = self.state.faults
        if faults.too_many_requests > 0:
            faults.too_many_requests -= 1
            self.state.note("fault", status=429)
            return JSONResponse({"errors": "Too Many Requests"}, 429, {"Retry-After": "2.0"})
        if faults.server_errors > 0:
            faults.server_errors -= 1
            self.state.note("fault", status=503)
            return JSONResponse({"errors": "Service Unavailable"}, 503)
        return None

    async def place_orders(self, request: Request) -> Response:
        asked = await _object(request)
        placed = [place_order(self.state) for _ in range(int(asked.get("count", 1)))]
        return JSONResponse({"orders": [each for each in placed if each is not None]})

    async def refund(self, request: Request) -> Response:
        """Refund the newest order."""
        if not self.state.orders:
            return JSONResponse({"errors": "Not Found"}, 404)
        newest = list(self.state.orders.values())[-1]
        return JSONResponse({"refund": refund_order(self.state, newest)})

    async def plan_faults(self, request: Request) -> Response:
        asked = await _object(request)
        for name in _FAULTS & asked.keys():
            setattr(self.state.faults, name, int(asked[name]))
        return JSONResponse({name: getattr(self.state.faults, name) for name in sorted(_FAULTS)})

    async def change_settings(self, request: Request) -> Response:
        asked = await _object(request)
        self.state.hook_url = str(asked.get("hook_url", self.state.hook_url))
        self.state.orders_per_s = float(asked.get("orders_per_s", self.state.orders_per_s))
        return JSONResponse(
            {"hook_url": self.state.hook_url, "orders_per_s": self.state.orders_per_s}
        )

    async def show_stock(self, _: Request) -> Response:
        shown = {
            sku: self.state.available[(article.item_gid, LOCATION_GID)]
            for sku, article in self.state.articles.items()
        }
        return JSONResponse(shown)

    async def set_stock(self, request: Request) -> Response:
        for sku, quantity in (await _object(request)).items():
            place = (self.state.articles[sku].item_gid, LOCATION_GID)
            self.state.available[place] = int(quantity)
        return await self.show_stock(request)

    async def show_log(self, _: Request) -> Response:
        return JSONResponse(self.state.log)


async def _object(request: Request) -> dict[str, Any]:
    asked = json.loads(await request.body() or b"{}")
    return asked if isinstance(asked, dict) else {}
