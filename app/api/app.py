"""The machine API: its routes, its refusals, and the contract it publishes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

from app.api import (
    alert_channels,
    alerts,
    breaks,
    channels,
    connections,
    deliveries,
    events,
    exception_work,
    exceptions,
    facts,
    files,
    flow_versions,
    flows,
    incidents,
    journals,
    ledger,
    limits,
    messages,
    name_matches,
    names,
    orders,
    overrides,
    oversells,
    ownership,
    pauses,
    prices,
    probes,
    reconnect,
    replays,
    reservations,
    returns,
    settlements,
    stock,
    stock_rules,
    store_days,
    trace,
)
from app.api.busy import install_busy
from app.api.contract import contract_of
from app.api.parts import ApiParts
from app.api.refusals import explain_refusals
from infra.web.handlers import install_problems
from infra.web.problem_pages import problem_routes

__all__ = ["ApiParts", "build_api"]

# No product's name: a retailer's developer meets the partner's brand, or none.
TITLE = "Retail integration API"
VERSION = "1.0.0"

ROUTES: tuple[APIRouter, ...] = (
    messages.routes,
    events.routes,
    deliveries.routes,
    exception_work.routes,
    exceptions.routes,
    incidents.routes,
    alerts.routes,
    alert_channels.routes,
    connections.routes,
    limits.routes,
    channels.routes,
    reconnect.routes,
    replays.routes,
    returns.routes,
    files.routes,
    flows.routes,
    flow_versions.routes,
    overrides.routes,
    names.routes,
    name_matches.routes,
    ownership.routes,
    facts.routes,
    pauses.routes,
    orders.routes,
    prices.routes,
    ledger.routes,
    store_days.routes,
    settlements.routes,
    journals.routes,
    breaks.routes,
    trace.routes,
    stock.routes,
    stock_rules.routes,
    reservations.routes,
    oversells.routes,
    probes.routes,
)


class MachineApi(FastAPI):
    """The application, with the thin routes in its contract."""

    def openapi(self) -> dict[str, Any]:
        """Give the contract, written once."""
        if self.openapi_schema is None:
            self.openapi_schema = contract_of(self)
        return self.openapi_schema


def build_api(parts: ApiParts) -> FastAPI:
    """Build the application behind the thin routes; `/hooks/` and `POST /v1/events` are before it."""
    app = MachineApi(
        title=TITLE,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_name,
    )
    app.state.parts = parts
    install_problems(app)
    install_busy(app)
    explain_refusals()
    for routes in ROUTES:
        app.include_router(routes)
    app.include_router(problem_routes())
    app.router.routes.append(Route("/metrics", probes.MetricsPage(), include_in_schema=False))
    return app


def _operation_name(route: APIRoute) -> str:
    return route.name
