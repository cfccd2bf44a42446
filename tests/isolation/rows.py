"""The matrix: for every route what it needs and what it is about; a route without a row fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tenants.roles import Permission

_P = Permission
Route = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One route: the permissions it needs, the kind of object in its path, its answer to an owner."""

    needs: tuple[Permission, ...]
    about: str = ""
    to_owner: int = 200
    request: dict[str, Any] = field(default_factory=dict)


_EMPTY_POSLOG = b'<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/"></POSLog>'

ROWS: dict[Route, Row] = {
    ("get", "/v1/messages"): Row((_P.MESSAGES_READ,)),
    ("get", "/v1/messages/{message_id}"): Row((_P.MESSAGES_READ,), "message"),
    ("get", "/v1/messages/{message_id}/body"): Row((_P.MESSAGES_READ, _P.PAYLOADS_READ), "message"),
    ("get", "/v1/events/{event_id}"): Row((_P.MESSAGES_READ,), "event"),
    ("get", "/v1/deliveries"): Row((_P.DELIVERIES_READ,)),
    ("get", "/v1/deliveries/{delivery_id}"): Row((_P.DELIVERIES_READ,), "delivery"),
    ("get", "/v1/exceptions"): Row((_P.EXCEPTIONS_READ,)),
    ("get", "/v1/exceptions/{exception_id}"): Row((_P.EXCEPTIONS_READ,), "exception"),
    # An owner is told that it was decided before: so the matrix changes nothing.
    ("post", "/v1/exceptions/{exception_id}/release"): Row(
        (_P.EXCEPTIONS_DECIDE,), "decided exception", 409
    ),
    ("post", "/v1/exceptions/{exception_id}/edit"): Row(
        (_P.EXCEPTIONS_DECIDE, _P.PAYLOADS_READ),
        "decided exception",
        409,
        {"json": {"reason": "A try.", "body": "{}"}},
    ),
    ("post", "/v1/exceptions/{exception_id}/discard"): Row(
        (_P.EXCEPTIONS_DECIDE,), "decided exception", 409, {"json": {"reason": "A try."}}
    ),
    ("get", "/v1/incidents"): Row((_P.EXCEPTIONS_READ,)),
    ("get", "/v1/incidents/{incident_id}"): Row((_P.EXCEPTIONS_READ,), "incident"),
    ("get", "/v1/incidents/{incident_id}/records"): Row((_P.EXCEPTIONS_READ,), "incident"),
    ("post", "/v1/incidents/{incident_id}/assign"): Row(
        (_P.EXCEPTIONS_DECIDE,), "incident", 200, {"json": {"owner": "Ada"}}
    ),
    ("post", "/v1/incidents/{incident_id}/comment"): Row(
        (_P.EXCEPTIONS_DECIDE,), "incident", 200, {"json": {"words": "A try."}}
    ),
    ("post", "/v1/incidents/{incident_id}/snooze"): Row(
        (_P.EXCEPTIONS_DECIDE,), "incident", 200, {"json": {"until": None}}
    ),
    # A record of it is held, so it cannot be closed.
    ("post", "/v1/incidents/{incident_id}/resolve"): Row(
        (_P.EXCEPTIONS_DECIDE,), "incident", 409, {"json": {"words": "A try."}}
    ),
    ("get", "/v1/incident-groups"): Row((_P.EXCEPTIONS_READ,)),
    ("get", "/v1/alerts"): Row((_P.EXCEPTIONS_READ,)),
    ("get", "/v1/alert-channels"): Row((_P.ALERTS_MANAGE,)),
    ("post", "/v1/alert-channels"): Row(
        (_P.ALERTS_MANAGE,),
        to_owner=201,
        request={"json": {"kind": "mail", "name": "Desk", "address": "desk@shop.example"}},
    ),
    ("get", "/v1/alert-channels/{channel_id}"): Row((_P.ALERTS_MANAGE,), "alert channel"),
    ("patch", "/v1/alert-channels/{channel_id}"): Row(
        (_P.ALERTS_MANAGE,), "alert channel", 200, {"json": {"most_per_hour": 5}}
    ),
    # It is switched on, so it cannot be removed: the matrix changes nothing.
    ("delete", "/v1/alert-channels/{channel_id}"): Row((_P.ALERTS_MANAGE,), "alert channel", 409),
    ("post", "/v1/alert-channels/{channel_id}/test"): Row(
        (_P.ALERTS_MANAGE,), "alert channel", 202
    ),
    ("post", "/v1/alert-channels/{channel_id}/secret"): Row((_P.ALERTS_MANAGE,), "alert channel"),
    ("post", "/v1/exceptions/{exception_id}/assign"): Row(
        (_P.EXCEPTIONS_DECIDE,), "decided exception", 409, {"json": {"owner": "Ada"}}
    ),
    ("post", "/v1/exceptions/{exception_id}/tag"): Row(
        (_P.EXCEPTIONS_DECIDE,), "decided exception", 409, {"json": {"add": ["a-try"]}}
    ),
    ("post", "/v1/exceptions/{exception_id}/comment"): Row(
        (_P.EXCEPTIONS_DECIDE,), "exception", 200, {"json": {"words": "A try."}}
    ),
    ("get", "/v1/exceptions/{exception_id}/remarks"): Row((_P.EXCEPTIONS_READ,), "exception"),
    # Without an id in its path: foreign ids in its body are refused one by one, see its own test.
    ("post", "/v1/exceptions/bulk"): Row(
        (_P.EXCEPTIONS_DECIDE,), request={"json": {"act": "release", "ids": []}}
    ),
    ("get", "/v1/connections"): Row((_P.CONNECTIONS_READ,)),
    ("get", "/v1/connections/{connection_id}"): Row((_P.CONNECTIONS_READ,), "connection"),
    ("get", "/v1/replays"): Row((_P.EXCEPTIONS_READ,)),
    # Refused for its selection of nothing: the matrix changes nothing.
    ("post", "/v1/replays"): Row(
        (_P.REPLAYS_RUN,), to_owner=422, request={"json": {"selection": {}, "reason": "A try."}}
    ),
    ("get", "/v1/replays/{replay_id}"): Row((_P.EXCEPTIONS_READ,), "replay"),
    ("get", "/v1/replays/{replay_id}/items"): Row((_P.EXCEPTIONS_READ,), "replay"),
    ("get", "/v1/replays/{replay_id}/receipt"): Row((_P.EXCEPTIONS_READ,), "replay"),
    # It was cancelled before, and stays so.
    ("post", "/v1/replays/{replay_id}/start"): Row((_P.REPLAYS_RUN,), "replay", 409),
    ("post", "/v1/replays/{replay_id}/approve"): Row((_P.REPLAYS_APPROVE,), "replay", 409),
    ("post", "/v1/replays/{replay_id}/cancel"): Row((_P.REPLAYS_RUN,), "replay"),
    ("get", "/v1/connections/{connection_id}/limits"): Row((_P.CONNECTIONS_READ,), "connection"),
    ("post", "/v1/connections/{connection_id}/reconnect-link"): Row(
        (_P.CONNECTIONS_MANAGE,), "target connection", 201
    ),
    ("put", "/v1/connections/{connection_id}/files/{name}"): Row(
        (_P.MESSAGES_SEND,), "file connection", 200, {"content": _EMPTY_POSLOG}
    ),
    ("get", "/v1/flows"): Row((_P.FLOWS_READ,)),
    ("get", "/v1/flows/{flow_id}"): Row((_P.FLOWS_READ,), "flow"),
    ("get", "/v1/flows/{flow_id}/versions"): Row((_P.FLOWS_READ,), "flow"),
    ("get", "/v1/flows/{flow_id}/versions/compare"): Row((_P.FLOWS_READ,), "flow"),
    # An owner is told that another version is the present one: so the matrix changes nothing.
    ("post", "/v1/flows/{flow_id}/versions"): Row(
        (_P.FLOWS_MANAGE,),
        "flow",
        409,
        {"json": {"note": "A try.", "overrides": [], "based_on": 99}},
    ),
    ("post", "/v1/flows/{flow_id}/versions/preview"): Row(
        (_P.FLOWS_MANAGE,), "flow", 200, {"json": {"overrides": []}}
    ),
    ("get", "/v1/overrides"): Row((_P.FLOWS_READ,)),
    # The flow is named in the body; one that is missing or foreign is 404, see its own test.
    ("post", "/v1/overrides"): Row(
        (_P.FLOWS_MANAGE,),
        to_owner=404,
        request={
            "json": {
                "flow_id": "00000000-0000-0000-0000-000000000000",
                "kind": "skip",
                "reason": "A try.",
                "expires_at": "2099-01-01T00:00:00Z",
            }
        },
    ),
    ("post", "/v1/overrides/{override_id}/end"): Row(
        (_P.FLOWS_MANAGE,), "ended override", 409, {"json": {"reason": "A try."}}
    ),
    # Nothing is paused, so there is nothing to resume and the matrix changes nothing.
    ("post", "/v1/flows/{flow_id}/resume"): Row(
        (_P.FLOWS_MANAGE,), "flow", 200, {"json": {"reason": "A try."}}
    ),
    ("post", "/v1/connections/{connection_id}/resume"): Row(
        (_P.CONNECTIONS_MANAGE,), "connection", 200, {"json": {"reason": "A try."}}
    ),
    ("post", "/v1/flows/{flow_id}/pause"): Row(
        (_P.FLOWS_MANAGE,), "flow", 200, {"json": {"reason": "A try."}}
    ),
    # The source is no target, so that nothing waits for it.
    ("post", "/v1/connections/{connection_id}/pause"): Row(
        (_P.CONNECTIONS_MANAGE,), "connection", 200, {"json": {"reason": "A try."}}
    ),
    ("get", "/v1/ledger"): Row((_P.LEDGER_READ,)),
    ("get", "/v1/trace"): Row((_P.EXCEPTIONS_READ,), request={"params": {"reference": "#1"}}),
    # A thin route: its source is named in the body, see the test of its own.
    ("post", "/v1/events"): Row(
        (_P.MESSAGES_SEND,),
        to_owner=200,
        request={
            "json": {"specversion": "1.0", "id": "o-2-1", "source": "source", "type": "any"},
        },
    ),
}

# Open to everyone, and why.
OPEN: dict[Route, str] = {
    ("get", "/livez"): "says nothing of anyone",
    ("get", "/readyz"): "says nothing of anyone",
    ("get", "/problems/{code}"): "explains codes, the same to everyone",
    ("get", "/reconnect/{token}"): "the link is the key, see the tests of its own",
    ("post", "/reconnect/{token}"): "the link is the key, see the tests of its own",
    ("post", "/hooks/{token}"): "the token and the signature are the key, see the tests of its own",
}
