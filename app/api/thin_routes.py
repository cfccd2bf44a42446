"""The contract of the two routes that stand in front of the application: webhooks and events."""

from __future__ import annotations

from typing import Any

from app.intake.events import BATCH_MAX, TEXT_MAX

JsonObject = dict[str, Any]


def _ref(name: str) -> JsonObject:
    return {"$ref": f"#/components/schemas/{name}"}


def _attribute(words: str) -> JsonObject:
    return {"type": "string", "minLength": 1, "maxLength": TEXT_MAX, "description": words}


def _answer(words: str, schema: JsonObject) -> JsonObject:
    return {"description": words, "content": {"application/json": {"schema": schema}}}


THIN_SCHEMAS: dict[str, JsonObject] = {
    "Problem": {
        "title": "Problem",
        "description": "A refusal (RFC 9457). `code` never changes its meaning.",
        "type": "object",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "examples": ["resource.not_found"]},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": _ref("FieldProblem")},
            "id": {"type": "string", "description": "Names a fault of ours to support."},
        },
    },
    "FieldProblem": {
        "title": "FieldProblem",
        "type": "object",
        "required": ["pointer", "code", "detail"],
        "properties": {
            "pointer": {"type": "string", "description": "JSON pointer into the request."},
            "code": {"type": "string"},
            "detail": {"type": "string"},
        },
    },
    "CloudEvent": {
        "title": "CloudEvent",
        "description": "CloudEvents 1.0 in structured mode. `source` and `id` make it unique:"
        " sending it again changes nothing. Further attributes are kept.",
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _attribute("The sender's own id of this event."),
            "source": _attribute("Name or id of the connection it comes from."),
            "type": _attribute("What happened, such as `retail.order.placed.v1`."),
            "time": {"type": "string", "format": "date-time"},
            "traceparent": {"type": "string", "description": "W3C trace context."},
            "data": {"description": "The business object."},
        },
        "additionalProperties": True,
    },
    "Accepted": {
        "title": "Accepted",
        "description": "The message is durable, under this id.",
        "type": "object",
        "required": ["id", "duplicate"],
        "properties": {
            "id": {"type": "string"},
            "duplicate": {"type": "boolean", "description": "It was already there."},
        },
    },
    "BatchAccepted": {
        "title": "BatchAccepted",
        "description": "One answer for each event, in order: taken, or what is wrong with it.",
        "type": "object",
        "required": ["results"],
        "properties": {
            "results": {
                "type": "array",
                "items": {"anyOf": [_ref("Accepted"), _ref("FieldProblem")]},
            }
        },
    },
}

_BATCH: JsonObject = {
    "type": "array",
    "items": _ref("CloudEvent"),
    "minItems": 1,
    "maxItems": BATCH_MAX,
}
_ONE_OR_MANY: JsonObject = {"anyOf": [_ref("Accepted"), _ref("BatchAccepted")]}

THIN_PATHS: dict[str, dict[str, JsonObject]] = {
    "/v1/events": {
        "post": {
            "operationId": "send_events",
            "tags": ["events"],
            "summary": "Send events",
            "description": f"Takes one CloudEvent, or up to {BATCH_MAX} in a list. Answers after"
            " the events are durable. In a list each event has its own answer: a bad one stops no"
            " other. The body may be compressed once with gzip.",
            "parameters": [
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": False,
                    "description": "The same key and body give the same answer for 72 hours; the"
                    " same key with another body is refused (422), one still running too (409).",
                    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
                },
                {
                    "name": "Tenant-Id",
                    "in": "header",
                    "required": False,
                    "description": "Which retailer the events are of, with a key that reaches"
                    " several retailers.",
                    "schema": {"type": "string", "maxLength": 200},
                },
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/cloudevents+json": {"schema": _ref("CloudEvent")},
                    "application/cloudevents-batch+json": {"schema": _BATCH},
                    "application/json": {"schema": {"anyOf": [_ref("CloudEvent"), _BATCH]}},
                },
            },
            "responses": {
                "202": _answer("Stored.", _ONE_OR_MANY),
                "200": _answer("Was stored before; nothing changed.", _ref("Accepted")),
            },
            "x-refusals": (409, 429),
        }
    },
    "/hooks/{token}": {
        "post": {
            "operationId": "receive_webhook",
            "tags": ["webhooks"],
            "summary": "Receive a vendor's webhook",
            "description": "The token is the address a vendor was given; the signature is checked"
            " over the raw body as the connection's system signs. What is verified is stored"
            " whatever is in it. Answers after it is durable.",
            "parameters": [
                {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
            "requestBody": {
                "required": True,
                "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
            },
            "responses": {
                "202": _answer("Stored.", _ref("Accepted")),
                "200": _answer("Was stored before; nothing changed.", _ref("Accepted")),
            },
            "x-refusals": (400, 401, 404, 408, 413, 429, 503),
        }
    },
}
