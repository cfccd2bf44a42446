"""Render a page: Jinja2 with everything escaped, and nothing that is not given."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infra import clock
from portal.door.desk import Desk
from portal.door.viewer import Viewer
from portal.look.brand import Brand, brand_of
from portal.page import words
from portal.page.menu import menu_of
from portal.page.verdict import concerned, cost

_ROOT = Path(__file__).parent.parent
_FILTERS = ("count", "money", "exact", "moneys", "plural", "span", "ago", "absolute", "of_day")


@cache
def environment() -> Environment:
    """Make the environment, once in a process."""
    made = Environment(
        loader=FileSystemLoader([_ROOT / "templates", _ROOT / "screens"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update({name: getattr(words, name) for name in _FILTERS})
    made.filters.update({"cost": cost, "concerned": concerned})
    return made


def page(
    request: Request, name: str, shown: Mapping[str, Any], *, to: Viewer | Desk, status: int = 200
) -> HTMLResponse:
    """Render a page for somebody who is signed in; `name` is the template within the screens."""
    desk = to if isinstance(to, Desk) else None
    viewer = to.viewer if isinstance(to, Desk) else to
    brand = to.brand
    frame = {
        "viewer": viewer,
        "desk": desk,
        "csrf": viewer.csrf,
        "zone": desk.retailer.zone if desk else words.UTC_ZONE,
        "menu": menu_of(viewer, desk, request.url.path),
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
    }
    return _rendered(request, name, {**frame, **shown}, brand, status)


def open_page(
    request: Request, name: str, shown: Mapping[str, Any], brand: Brand | None, status: int = 200
) -> HTMLResponse:
    """Render a page for somebody who is nobody yet: signing in, invitations, refusals."""
    return _rendered(request, name, shown, brand or brand_of(""), status)


def _rendered(
    request: Request, name: str, shown: Mapping[str, Any], brand: Brand, status: int
) -> HTMLResponse:
    about = {
        "brand": brand,
        "assets": request.app.state.parts.assets,
        "now": clock.now(),
        "saved": request.query_params.get("done", "")[:60],
    }
    html = environment().get_template(name).render({**about, **shown})
    return HTMLResponse(html, status_code=status)
