"""The wall of whoever looks after several retailers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from portal.door.viewer import WideLooker
from portal.page.render import page
from portal.screens.now.queries import wall

routes = APIRouter(include_in_schema=False)


@routes.get("/now")
async def now(request: Request, viewer: WideLooker) -> Response:
    """Show which retailer loses money right now, and whether somebody is on it."""
    return page(request, "now/page.html", await wall(viewer), to=viewer)
