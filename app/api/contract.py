"""The published contract (OpenAPI 3.1): what the routes declare, the thin routes, every refusal."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from app.api.body import taken_bodies
from app.api.thin_routes import THIN_PATHS, THIN_SCHEMAS
from infra.web.problems import MEDIA_TYPE

JsonObject = dict[str, Any]

DESCRIPTION = """
Send events, read what became of them, and decide what waits for a person.

Every refusal is a problem document (RFC 9457) whose `code` never changes its meaning and whose
`type` is a page that explains it. What is missing and what belongs to somebody else are answered
alike. Besides the answers listed with each route, a request that is not well-formed HTTP, too
large or too slow is answered 400, 408, 413, 414, 421, 431 or 501 before it reaches any route.

Ids are opaque texts; times are RFC 3339 in UTC; amounts are exact decimals written as texts.
Lists are newest first and paged by cursor.
""".strip()

_WITH_KEY = (401, 403, 404, 422, 503)
_WITH_BODY = (400, 408, 413, 415)
# operation -> refusals beyond those of every route with a key or a body
_FURTHER: dict[str, tuple[int, ...]] = {
    "get_message_body": (410,),
    "get_event": (410,),
    "release_exception": (409,),
    "discard_exception": (409,),
    "edit_exception": (409, 410),
    "assign_exception": (409,),
    "tag_exception": (409,),
    "publish": (409,),
    "end_override": (409,),
    "pause_one_connection": (409,),
    "resume_one_connection": (409,),
    "readyz": (503,),
    "explain_problem": (404,),
}
_MEANING = {
    400: "The request cannot be read.",
    401: "No valid API key.",
    403: "The key lacks the permission.",
    404: "Missing, or out of reach: both look the same.",
    405: "Another method is needed.",
    408: "The body did not arrive in time.",
    409: "Not possible in the present state.",
    410: "The content was erased for good.",
    413: "The body is too large.",
    415: "The body is of a kind that is not taken here.",
    422: "Readable, but against a rule; `errors` name the fields.",
    429: "Too many requests; `Retry-After` says when to send it again.",
    503: "The promise cannot be kept now; nothing was stored. Send it again.",
}
_OPEN = frozenset({"livez", "readyz", "explain_problem", "receive_webhook"})
_METHODS = frozenset({"get", "put", "post", "delete", "patch"})


def contract_of(app: FastAPI) -> JsonObject:
    """Write the whole contract of the machine API."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.routes,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= THIN_SCHEMAS | _schemas(taken_bodies())
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, operations in deepcopy(THIN_PATHS).items():
        document["paths"].setdefault(path, {}).update(operations)
    for operations in document["paths"].values():
        for method, operation in operations.items():
            if method in _METHODS:
                _complete(operation)
    return document


def _schemas(models: Mapping[str, type[BaseModel]]) -> JsonObject:
    """Give the shapes of bodies, and of what stands in them, each under its own name."""
    found: JsonObject = {}
    for name, model in models.items():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        found |= schema.pop("$defs", {})
        found[name] = schema
    return found


def _complete(operation: JsonObject) -> None:
    """Add who may call, and every refusal, to one operation."""
    name = operation["operationId"]
    operation["responses"].pop("422", None)
    statuses = {*_FURTHER.get(name, ()), *operation.pop("x-refusals", ())}
    if name not in _OPEN:
        operation["security"] = [{"key": []}]
        statuses |= set(_WITH_KEY)
        if "requestBody" in operation:
            statuses |= set(_WITH_BODY)
    for status in sorted(statuses):
        operation["responses"][str(status)] = {
            "description": _MEANING[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
