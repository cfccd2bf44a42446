"""After an act: back to a page, with one sentence that says what was done."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from fastapi.responses import RedirectResponse


def go(path: str, done: str = "") -> RedirectResponse:
    """Send the browser to a page of ours, so that a reload does not repeat the act."""
    asked = urlencode({"done": done}) if done else ""
    sign = "&" if "?" in path else "?"
    target = f"{path}{sign}{asked}" if asked else path
    return RedirectResponse(target, status_code=HTTPStatus.SEE_OTHER)


def own_path(told: str, otherwise: str = "/") -> str:
    """Give an address of this portal back, another one instead of any other host's."""
    parts = urlsplit(told)
    is_own = told.startswith("/") and not told.startswith(("//", "/\\")) and not parts.netloc
    return told if is_own and told.isprintable() else otherwise
