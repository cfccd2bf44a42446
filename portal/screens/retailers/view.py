"""All retailers that a person looks after."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from portal.door.viewer import WideLooker
from portal.page.render import page
from portal.page.verdict import tone_of, verdict_of_all
from portal.reach import reached

routes = APIRouter(include_in_schema=False)


@routes.get("/retailers")
async def retailers(request: Request, viewer: WideLooker, name: str = "") -> Response:
    """List retailers, those that need somebody first; `name` narrows."""
    everyone = await reached(viewer)
    sought = name.strip().casefold()[:100]
    shown = [each for each in everyone if sought in each.name.casefold()]
    told = {"verdict": verdict_of_all(everyone), "shown": shown, "of": len(everyone)}
    return page(
        request,
        "retailers/page.html",
        {**told, "sought": name[:100], "tone_of": tone_of},
        to=viewer,
    )
