"""`GET /problems/{code}`: what a problem code means, for people (HTML) and programs (JSON)."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from infra.errors import NotFound
from infra.web.catalogue import PROBLEMS

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
)
_HEADERS = {
    "cache-control": "public, max-age=3600",
    "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "vary": "accept",
    "x-content-type-options": "nosniff",
}


def problem_routes() -> APIRouter:
    """Make the routes that explain every code; the pages carry no name of any product."""
    routes = APIRouter(tags=["problems"])

    @routes.get("/problems/{code}", summary="What a problem code means")
    async def explain_problem(code: str, accept: Annotated[str, Header()] = "*/*") -> Response:
        page = PROBLEMS.get(code)
        if page is None:
            raise NotFound
        if "text/html" in accept:
            html = _PAGES.get_template("problem.html").render(code=code, page=page)
            return Response(html, media_type="text/html", headers=_HEADERS)
        body = json.dumps({"code": code, **asdict(page)})
        return Response(body, media_type="application/json", headers=_HEADERS)

    return routes
