"""The portal as an application: its screens, its refusals as pages, its guard."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, FastAPI

from app.processes.floor import Floor
from infra.web.asgi import App
from portal import assets
from portal.door.guard import PageGuard
from portal.page.error import install_errors
from portal.parts import PortalParts, read_assets
from portal.screens.account import view as account
from portal.screens.connections import view as connections
from portal.screens.exceptions import view as exceptions
from portal.screens.find import view as find
from portal.screens.incidents import view as incidents
from portal.screens.now import view as now
from portal.screens.reconnect import view as reconnect
from portal.screens.replays import view as replays
from portal.screens.retailers import view as retailers
from portal.screens.sign_in import view as sign_in
from portal.screens.today import view as today

ROUTES: tuple[APIRouter, ...] = (
    assets.routes,
    sign_in.routes,
    reconnect.routes,
    account.routes,
    now.routes,
    retailers.routes,
    incidents.routes,
    today.routes,
    exceptions.routes,
    find.routes,
    replays.routes,
    connections.routes,
)


def screens(floor: Floor, ring: Callable[[], None]) -> App:
    """Build the portal on the floor of a web process."""
    parts = PortalParts(floor.database, floor.vault, floor.connections, ring, read_assets())
    return build_portal(parts)


def build_portal(parts: PortalParts) -> App:
    """Build the portal; it answers whatever path the machine API does not."""
    return PageGuard(portal_pages(parts))


def portal_pages(parts: PortalParts) -> FastAPI:
    """Build its pages, without the guard."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.parts = parts
    install_errors(app)
    for routes in ROUTES:
        app.include_router(routes)
    return app
