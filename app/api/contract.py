"""The published contract (OpenAPI 3.1): what the routes declare, the thin routes, every refusal."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from app.api.alert_channels import ChannelChanges, NewChannel
from app.api.decisions import DiscardRequest, EditRequest, ReleaseRequest
from app.api.exception_filter import FilterRequest
from app.api.flow_versions import PreviewRequest, PublishRequest
from app.api.incident_shapes import (
    AssignIncidentRequest,
    CommentIncidentRequest,
    ResolveIncidentRequest,
    SnoozeIncidentRequest,
)
from app.api.overrides import EndRequest, OverrideRequest
from app.api.pauses import PauseRequest
from app.api.reconnect import CredentialsRequest
from app.api.replay_shapes import ReplayRequest
from app.api.thin_routes import THIN_PATHS, THIN_SCHEMAS
from app.api.work_requests import AssignRequest, BulkRequest, CommentRequest, TagRequest
from app.exceptions.replay.selection import Selection
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

# What is read by a dependency of ours and so is not found by the framework.
_BODIES: tuple[type[BaseModel], ...] = (
    ReplayRequest,
    Selection,
    ReleaseRequest,
    EditRequest,
    DiscardRequest,
    AssignRequest,
    CommentRequest,
    TagRequest,
    BulkRequest,
    FilterRequest,
    PublishRequest,
    PreviewRequest,
    OverrideRequest,
    EndRequest,
    NewChannel,
    ChannelChanges,
    PauseRequest,
    AssignIncidentRequest,
    CommentIncidentRequest,
    SnoozeIncidentRequest,
    ResolveIncidentRequest,
    CredentialsRequest,
)

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
    schemas |= THIN_SCHEMAS | {model.__name__: _schema(model) for model in _BODIES}
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, operations in deepcopy(THIN_PATHS).items():
        document["paths"].setdefault(path, {}).update(operations)
    for operations in document["paths"].values():
        for method, operation in operations.items():
            if method in _METHODS:
                _complete(operation)
    return document


def _schema(model: type[BaseModel]) -> JsonObject:
    return model.model_json_schema(ref_template="#/components/schemas/{model}")


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
