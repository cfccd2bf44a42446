"""The machine API: its routes, its refusals, and the contract it publishes."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from starlette.routing import Route

from app.api import deliveries, ledger, messages, probes
from app.api.parts import ApiParts
from infra.web.handlers import install_problems
from infra.web.problem_pages import problem_routes

__all__ = ["ApiParts", "build_api"]

# No product's name: a retailer's developer meets the partner's brand, or none.
TITLE = "Retail integration API"
VERSION = "1.0.0"

ROUTES: tuple[APIRouter, ...] = (
    messages.routes,
    deliveries.routes,
    ledger.routes,
    probes.routes,
)


def build_api(parts: ApiParts) -> FastAPI:
    """Build the application behind the thin routes; `/hooks/` and `POST /v1/events` are before it."""
    app = FastAPI(title=TITLE, version=VERSION, docs_url=None, redoc_url=None)
    app.state.parts = parts
    install_problems(app)
    for routes in ROUTES:
        app.include_router(routes)
    app.include_router(problem_routes())
    app.router.routes.append(Route("/metrics", probes.MetricsPage(), include_in_schema=False))
    return app
