"""The first page of a shop."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from portal.door.desk import Reader
from portal.page.render import page
from portal.screens.today.queries import today

_OF_RETAILER = "/r/{tenant_id}/today"

routes = APIRouter(include_in_schema=False)


@routes.get(_OF_RETAILER)
async def first_page(request: Request, desk: Reader) -> Response:
    """Say whether the shop is all right, and what must be done."""
    return page(request, "today/page.html", await today(desk), to=desk)
