"""Serve what the build made, and the stylesheets of brands; both kept by browsers for good."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from infra.errors import NotFound
from portal.look.brand import STYLESHEET, stylesheet_of
from portal.parts import DIST

_NAME = re.compile(r"[a-z]+\.[0-9a-f]{12}\.(css|js|svg|woff2)")
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
_FOR_GOOD = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}

_SVG = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"

routes = APIRouter(prefix="/assets", include_in_schema=False)


@routes.get("/brand/{name}.css")
async def brand_stylesheet(name: str) -> Response:
    """Give the tokens of a brand; its values are in its name, so it never changes."""
    told = STYLESHEET.fullmatch(name)
    if told is None:
        raise NotFound
    css = stylesheet_of(int(told[1]), f"#{told[2]}")
    return Response(css, media_type=_TYPES["css"], headers=_FOR_GOOD)


@routes.get("/brand/{name}.svg")
async def brand_icon(name: str) -> Response:
    """Give a square in the brand's colour, as browsers show it beside the title."""
    told = STYLESHEET.fullmatch(name)
    if told is None:
        raise NotFound
    svg = f"{_SVG}<rect width='16' height='16' rx='4' fill='#{told[2]}'/></svg>"
    return Response(svg, media_type=_TYPES["svg"], headers=_FOR_GOOD)


@routes.get("/{name}")
async def asset(request: Request, name: str) -> Response:
    """Give a file of the build, packed for whoever takes it so."""
    told = _NAME.fullmatch(name)
    if told is None:
        raise NotFound
    headers = dict(_FOR_GOOD)
    content = None
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = _read(DIST / f"{name}.gz")
        if content is not None:
            headers["content-encoding"] = "gzip"
    content = content if content is not None else _read(DIST / name)
    if content is None:
        raise NotFound
    return Response(content, media_type=_TYPES[told[1]], headers=headers)


@cache
def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
