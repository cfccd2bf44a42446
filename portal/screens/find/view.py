"""Find an order, item or receipt, and tell its life."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from portal.door.desk import Tracer
from portal.door.viewer import Looker
from portal.page.going import go
from portal.page.render import page
from portal.screens.find.queries import QUERY_MOST, everywhere, life

_OF_RETAILER = "/r/{tenant_id}/find"

routes = APIRouter(include_in_schema=False)

Sought = Annotated[str, Query(alias="q", max_length=QUERY_MOST, pattern=r"^[^\x00-\x1f\x7f]*$")]


@routes.get("/find")
async def find_everywhere(request: Request, viewer: Looker, sought: Sought = "") -> Response:
    """Search all retailers that the person reaches; one who has a single retailer goes there."""
    if not viewer.is_wide:
        return go(f"/r/{viewer.main.tenant_id}/find")
    return page(request, "find/everywhere.html", await everywhere(viewer, sought), to=viewer)


@routes.get(_OF_RETAILER)
async def find(request: Request, desk: Tracer, sought: Sought = "") -> Response:
    """Tell the life of what is named."""
    return page(request, "find/page.html", await life(desk, sought), to=desk)
