"""What people see when something is refused or fails: what happened, what is safe, what to do."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from infra.errors import NotFound, PlatformError
from infra.web.faults import record_fault
from portal.door.viewer import SignInNeeded
from portal.page.render import open_page

_TITLES: dict[int, str] = {
    401: "That was not right",
    403: "Not for your role",
    404: "Nothing here",
    409: "It has changed meanwhile",
    422: "That does not fit",
    429: "Too many tries",
    503: "Not reachable for a moment",
}
_SAFE: dict[int, str] = {
    409: "Nothing was changed by you. Go back to see how it stands now.",
    422: "Nothing was changed. Go back, correct it and try again.",
    503: "Nothing is lost: records go on being accepted and kept in order.",
}


def install_errors(app: FastAPI) -> None:
    """Answer every refusal and fault as a page."""
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(PlatformError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)


async def _sign_in(request: Request, _error: Exception) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    then = f"?next={quote(wanted)}" if request.method == "GET" and wanted != "/" else ""
    return RedirectResponse(f"/sign-in{then}", status_code=HTTPStatus.SEE_OTHER)


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, PlatformError):
        raise error
    return _page(request, error.status, error.detail)


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _page(request, error.status_code, NotFound().detail)


async def _invalid(request: Request, _error: Exception) -> Response:
    return _page(request, 422, "The address of this page, or something in the form, is not right.")


async def _failed(request: Request, error: Exception) -> Response:
    route = request.scope.get("route")
    record_fault(error, request.method, str(getattr(route, "path", "")))
    return _page(
        request, 500, "This page could not be made. It was written down for us to look at."
    )


def _page(request: Request, status: int, words: str) -> Response:
    shown = {
        "title": _TITLES.get(status, "Something went wrong"),
        "words": words,
        "safe": _SAFE.get(status, ""),
        "status": status,
    }
    return open_page(request, "error.html", shown, None, status)
