"""Refusals as RFC 9457 problem details: one form for FastAPI, thin routes and the guard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response

from infra.errors import FieldError, PlatformError
from infra.strict_json import StrictJsonError
from infra.web.asgi import Headers, Send
from infra.web.catalogue import PROBLEMS

MEDIA_TYPE = "application/problem+json"

# What cannot be parsed at all is 400; what parses but breaks a rule is 422.
_UNREADABLE = {
    "payload.empty",
    "payload.unparseable",
    "payload.wrong_media_type",
    "payload.encoding",
}
# The body of a request is called body, the body of a stored message payload.
_REQUEST_CODES = {"payload.empty": "body.empty"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal as it is answered; `fault_id` is set for faults of ours."""

    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    retry_after_s: int | None = None
    fault_id: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


def problem_of(error: PlatformError | StrictJsonError) -> Problem:
    """Say an expected refusal as a problem."""
    if isinstance(error, PlatformError):
        return Problem(error.status, error.code, error.detail, error.errors, error.retry_after_s)
    code = _REQUEST_CODES.get(error.code, error.code)
    status = HTTPStatus.BAD_REQUEST if code in _UNREADABLE | {"body.empty"} else 422
    where = () if error.pointer is None else (FieldError(error.pointer, code, error.words),)
    at = "" if error.offset is None else f" (byte {error.offset})"
    return Problem(int(status), code, error.words + at, where)


def problem_body(problem: Problem) -> bytes:
    """Write the JSON of a problem; `type` is a relative URL that opens the page of the code."""
    page = PROBLEMS.get(problem.code)
    members: dict[str, object] = {
        "type": f"/problems/{problem.code}",
        "title": page.title if page else HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    if problem.errors:
        members["errors"] = [_field(each) for each in problem.errors]
    if problem.fault_id:
        members["id"] = problem.fault_id
    return json.dumps(members, ensure_ascii=True).encode("ascii")


def problem_headers(problem: Problem, size_bytes: int) -> Headers:
    """Write the headers that belong to a problem, in raw ASGI form."""
    headers: Headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % size_bytes),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *problem.headers,
    ]
    if problem.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % problem.retry_after_s))
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    return headers


def problem_response(problem: Problem) -> Response:
    """Answer a problem from a FastAPI route or handler."""
    body = problem_body(problem)
    response = Response(body, problem.status)
    response.raw_headers = problem_headers(problem, len(body))
    return response


async def send_problem(send: Send, problem: Problem) -> None:
    """Answer a problem from a thin ASGI route."""
    body = problem_body(problem)
    headers = problem_headers(problem, len(body))
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def invalid(errors: Sequence[FieldError]) -> Problem:
    """Say that fields of a readable request break a rule."""
    some = "One field is" if len(errors) == 1 else f"{len(errors)} fields are"
    return Problem(422, "request.invalid", f"{some} not valid.", tuple(errors))


def _field(error: FieldError) -> dict[str, str]:
    return {"pointer": error.pointer, "code": error.code, "detail": error.detail}
