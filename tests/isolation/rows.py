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
    ("get", "/v1/connections"): Row((_P.CONNECTIONS_READ,)),
    ("get", "/v1/connections/{connection_id}"): Row((_P.CONNECTIONS_READ,), "connection"),
    ("put", "/v1/connections/{connection_id}/files/{name}"): Row(
        (_P.MESSAGES_SEND,), "file connection", 200, {"content": _EMPTY_POSLOG}
    ),
    ("get", "/v1/flows"): Row((_P.FLOWS_READ,)),
    ("get", "/v1/flows/{flow_id}"): Row((_P.FLOWS_READ,), "flow"),
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
    ("post", "/hooks/{token}"): "the token and the signature are the key, see the tests of its own",
}
