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

_NO_ID = "00000000-0000-0000-0000-000000000000"
_NO_NAME = {"connection_id": _NO_ID, "external_id": "1", "reason": "A try."}
_NO_RULE = {"group": "stock", "owner_id": _NO_ID, "reason": "A try."}

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
    ("get", "/v1/returns"): Row((_P.EXCEPTIONS_READ,)),
    ("post", "/v1/returns"): Row(
        (_P.MESSAGES_SEND,),
        to_owner=201,
        request={
            "json": {
                "return_id": "RX",
                "kind": "in_store",
                "currency": "USD",
                "initiated_at": "2026-11-20T10:00:00Z",
                "lines": [{"line_id": "1", "sku": "SKU-001", "quantity": "1"}],
            }
        },
    ),
    ("get", "/v1/returns/{return_id}"): Row((_P.EXCEPTIONS_READ,), "return"),
    ("post", "/v1/returns/{return_id}/facts"): Row(
        (_P.EXCEPTIONS_DECIDE,),
        "return",
        request={
            "json": {
                "kind": "received",
                "key": "one",
                "at": "2026-11-20T10:00:00Z",
                "line_id": "1",
                "quantity": "1",
            }
        },
    ),
    # It asks nothing, so nobody can answer: the matrix changes nothing.
    ("post", "/v1/returns/{return_id}/answer"): Row(
        (_P.EXCEPTIONS_DECIDE,),
        "return",
        409,
        {"json": {"question": "validate", "choice": "approve"}},
    ),
    ("get", "/v1/return-backlog"): Row((_P.EXCEPTIONS_READ,)),
    ("get", "/v1/return-terms"): Row((_P.FLOWS_READ,)),
    ("put", "/v1/return-terms"): Row((_P.FLOWS_MANAGE,), request={"json": {"window_days": 30}}),
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
    ("get", "/v1/channels"): Row((_P.CONNECTIONS_READ,)),
    # It refused nothing, so that nothing is released.
    ("post", "/v1/channels/{connection_id}/release"): Row(
        (_P.CONNECTIONS_MANAGE,), "channel connection", 200, {"json": {"reason": "A try."}}
    ),
    ("post", "/v1/connections/{connection_id}/reconnect-link"): Row(
        (_P.CONNECTIONS_MANAGE,), "target connection", 201
    ),
    ("put", "/v1/connections/{connection_id}/files/{name}"): Row(
        (_P.MESSAGES_SEND,), "file connection", 200, {"content": _EMPTY_POSLOG}
    ),
    ("get", "/v1/orders"): Row((_P.MESSAGES_READ,)),
    ("get", "/v1/orders/{order_id}"): Row((_P.MESSAGES_READ,), "cancelled order"),
    # It was cancelled before: so the matrix changes nothing.
    ("post", "/v1/orders/{order_id}/cancel"): Row(
        (_P.EXCEPTIONS_DECIDE,), "cancelled order", 409, {"json": {"reason": "A try."}}
    ),
    ("get", "/v1/order-deadlines"): Row((_P.MESSAGES_READ,)),
    ("get", "/v1/order-completeness"): Row(
        (_P.LEDGER_READ,), request={"params": {"day": "2026-11-20"}}
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
    # The connection is named in the query or body; one that is missing or foreign shows nothing.
    ("get", "/v1/names"): Row((_P.CONNECTIONS_READ,), request={"params": {"connection": _NO_ID}}),
    ("get", "/v1/names/meanings"): Row(
        (_P.CONNECTIONS_READ,), request={"params": {"connection": _NO_ID, "external_id": "1"}}
    ),
    ("post", "/v1/names"): Row((_P.CONNECTIONS_MANAGE,), to_owner=404, request={"json": _NO_NAME}),
    ("post", "/v1/names/end"): Row(
        (_P.CONNECTIONS_MANAGE,), to_owner=409, request={"json": _NO_NAME}
    ),
    ("post", "/v1/names/rename"): Row(
        (_P.CONNECTIONS_MANAGE,),
        to_owner=404,
        request={"json": {**_NO_NAME, "new_external_id": "2"}},
    ),
    # It is not merged into itself, and a name that is not its own is not taken from it.
    ("post", "/v1/names/objects/{object_id}/merge"): Row(
        (_P.CONNECTIONS_MANAGE,),
        "object",
        404,
        {"json": {"into": _NO_ID[:-1] + "1", "reason": "A try."}},
    ),
    ("post", "/v1/names/objects/{object_id}/split"): Row(
        (_P.CONNECTIONS_MANAGE,),
        "object",
        409,
        {"json": {"connection_id": _NO_ID, "external_ids": ["1"], "reason": "A try."}},
    ),
    ("get", "/v1/name-matches"): Row(
        (_P.CONNECTIONS_READ,), request={"params": {"connection": _NO_ID}}
    ),
    # It was rejected before, and stays so.
    ("post", "/v1/name-matches/{match_id}/accept"): Row(
        (_P.CONNECTIONS_MANAGE,), "decided match", 409
    ),
    ("post", "/v1/name-matches/{match_id}/reject"): Row(
        (_P.CONNECTIONS_MANAGE,), "decided match", 409
    ),
    ("get", "/v1/ownership"): Row((_P.FLOWS_READ,)),
    ("post", "/v1/ownership"): Row((_P.FLOWS_MANAGE,), to_owner=404, request={"json": _NO_RULE}),
    ("post", "/v1/ownership/preview"): Row(
        (_P.FLOWS_MANAGE,), to_owner=404, request={"json": _NO_RULE}
    ),
    ("get", "/v1/ownership/frozen"): Row((_P.FLOWS_READ,)),
    ("post", "/v1/ownership/thaw"): Row(
        (_P.FLOWS_MANAGE,),
        to_owner=404,
        request={"json": {"attribute": "stock.available", "object": "1", "reason": "A try."}},
    ),
    ("get", "/v1/facts"): Row((_P.MESSAGES_READ,), request={"params": {"object": "o-1"}}),
    ("get", "/v1/prices"): Row((_P.PRICES_READ,), request={"params": {"sku": "MUG"}}),
    ("get", "/v1/prices/{price_id}"): Row((_P.PRICES_READ,), "price"),
    # A newer version replaced it, so there is nothing to approve or to end.
    ("post", "/v1/prices/{price_id}/approve"): Row(
        (_P.PRICES_MANAGE,), "price", 409, {"json": {"reason": "A try."}}
    ),
    ("post", "/v1/prices/{price_id}/expire"): Row(
        (_P.PRICES_MANAGE,), "price", 409, {"json": {"reason": "A try."}}
    ),
    ("get", "/v1/price-approvals"): Row((_P.PRICES_READ,)),
    ("get", "/v1/price-targets"): Row((_P.PRICES_READ,)),
    # The connection is named in the body; one that is missing or foreign is refused alike.
    ("put", "/v1/price-targets"): Row(
        (_P.PRICES_MANAGE,),
        to_owner=422,
        request={"json": {"connection": "none", "place": "1", "zone": "UTC", "currency": "USD"}},
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
    ("get", "/v1/store-days"): Row((_P.FINANCE_READ,)),
    ("get", "/v1/store-days/{store_day_id}"): Row((_P.FINANCE_READ,), "store day"),
    # It sold nothing, so closing it books nothing.
    ("post", "/v1/store-days/{store_day_id}/close"): Row(
        (_P.FINANCE_MANAGE,), "store day", 200, {"json": {}}
    ),
    ("get", "/v1/journals"): Row((_P.FINANCE_READ,)),
    ("get", "/v1/journals/{journal_id}"): Row((_P.FINANCE_READ,), "journal"),
    # No books refused it.
    ("post", "/v1/journals/{journal_id}/redate"): Row(
        (_P.FINANCE_MANAGE,), "journal", 409, {"json": {"reason": "A try."}}
    ),
    ("get", "/v1/settlements"): Row((_P.FINANCE_READ,)),
    ("get", "/v1/settlements/{settlement_id}"): Row((_P.FINANCE_READ,), "settlement"),
    ("post", "/v1/settlements/{settlement_id}/match"): Row((_P.FINANCE_MANAGE,), "settlement"),
    ("get", "/v1/breaks"): Row((_P.FINANCE_READ,)),
    ("post", "/v1/breaks/assign"): Row(
        (_P.FINANCE_MANAGE,),
        to_owner=404,
        request={"json": {"kind": "over_short", "key": "none", "owner": "Ada"}},
    ),
    ("get", "/v1/stock"): Row((_P.STOCK_READ,)),
    # Named by its article, not by an id: one that nothing was told of is missing for everyone.
    ("get", "/v1/stock/{sku}"): Row((_P.STOCK_READ,), to_owner=404),
    ("get", "/v1/stock-rules"): Row((_P.STOCK_READ,)),
    ("put", "/v1/stock-rules/{connection_id}"): Row(
        (_P.STOCK_MANAGE,), "connection", 200, {"json": {"sku": "NO-SUCH", "reason": "A try."}}
    ),
    ("get", "/v1/stock-places"): Row((_P.STOCK_READ,)),
    ("put", "/v1/stock-places"): Row((_P.STOCK_MANAGE,), request={"json": {"location": "dc"}}),
    ("get", "/v1/kits"): Row((_P.STOCK_READ,), request={"params": {"kit_sku": "NO-SUCH"}}),
    # It would contain itself, so that the matrix changes nothing.
    ("put", "/v1/kits"): Row(
        (_P.STOCK_MANAGE,),
        to_owner=422,
        request={"json": {"kit_sku": "K", "parts": [{"sku": "K", "quantity": "1"}]}},
    ),
    ("put", "/v1/unit-conversions"): Row(
        (_P.STOCK_MANAGE,),
        request={"json": {"sku": "S", "uom": "CS", "base_uom": "EA", "numerator": 12}},
    ),
    # The channel is named in the body; one that is missing or foreign is 404.
    ("post", "/v1/reservations"): Row(
        (_P.MESSAGES_SEND,),
        to_owner=404,
        request={
            "json": {
                "connection_id": "00000000-0000-0000-0000-000000000000",
                "client_key": "a-try",
                "sku": "S",
                "quantity": "1",
            }
        },
    ),
    ("get", "/v1/reservations/{reservation_id}"): Row((_P.MESSAGES_SEND,), "given back"),
    # It was given back before, and stays so.
    ("post", "/v1/reservations/{reservation_id}/convert"): Row(
        (_P.MESSAGES_SEND,), "given back", 409, {"json": {"order_id": "o-1"}}
    ),
    ("post", "/v1/reservations/{reservation_id}/paying"): Row(
        (_P.MESSAGES_SEND,), "given back", 409
    ),
    ("post", "/v1/reservations/{reservation_id}/release"): Row((_P.MESSAGES_SEND,), "given back"),
    ("get", "/v1/oversells"): Row((_P.STOCK_READ,)),
    ("get", "/v1/oversells/{oversell_id}"): Row((_P.STOCK_READ,), "decided oversell"),
    ("post", "/v1/oversells/{oversell_id}/resolve"): Row(
        (_P.EXCEPTIONS_DECIDE,),
        "decided oversell",
        409,
        {"json": {"resolution": "cancel", "message": "A try."}},
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
