"""Install problem details in a FastAPI application, so that every refusal has the same form."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from infra.errors import NotFound, PlatformError
from infra.strict_json import StrictJsonError
from infra.web.faults import record_fault
from infra.web.problems import Problem, invalid, problem_of, problem_response
from infra.web.validation import field_errors

_BY_STATUS = {
    400: ("request.malformed", "The request cannot be read."),
    401: ("auth.required", "A valid API key is needed."),
    403: ("auth.forbidden", "This is not permitted."),
    405: ("request.method_not_allowed", "This address does not take this method."),
    413: ("body.too_large", "The body is too large."),
    415: ("body.encoding_unsupported", "This kind of body is not supported."),
    429: ("rate.exceeded", "Too many requests. Wait and try again."),
    503: ("service.unavailable", "Not available for a moment. Try again."),
}


def install_problems(app: FastAPI) -> None:
    """Answer every refusal and fault of an application as problem details."""
    app.add_exception_handler(PlatformError, _refused)
    app.add_exception_handler(StrictJsonError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _failed)


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, PlatformError | StrictJsonError):
        raise error
    return problem_response(problem_of(error))


async def _invalid(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return problem_response(invalid(field_errors(error.errors())))


async def _http(_request: Request, error: Exception) -> Response:
    """Say what the framework refused; its own words are not passed on."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(problem_of(NotFound()))
    code, detail = _BY_STATUS.get(
        error.status_code, ("request.refused", "The request cannot be served.")
    )
    headers = tuple(
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in (error.headers or {}).items()
        if name.lower() in {"allow", "retry-after"}
    )
    return problem_response(Problem(error.status_code, code, detail, headers=headers))


async def _gone(_request: Request, _error: Exception) -> Response:
    return problem_response(
        Problem(400, "request.incomplete", "The connection ended before the body did.")
    )


async def _failed(request: Request, error: Exception) -> Response:
    route = request.scope.get("route")
    path = str(getattr(route, "path", ""))
    return problem_response(record_fault(error, request.method, path))
