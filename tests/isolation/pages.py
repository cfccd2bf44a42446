"""The matrix of pages: for every page and form what it needs and what it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tenants.roles import Permission

_P = Permission
Page = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PageRow:
    """One page: the permissions it needs, the kind of object in its path, its answer to an owner."""

    needs: tuple[Permission, ...]
    about: str = ""
    to_owner: int = 200
    form: dict[str, Any] = field(default_factory=dict)
    query: str = ""


_SEES, _DECIDES = (_P.EXCEPTIONS_READ,), (_P.EXCEPTIONS_READ, _P.EXCEPTIONS_DECIDE)
_RUNS = (_P.EXCEPTIONS_READ, _P.REPLAYS_RUN)
_R = "/r/{tenant_id}"

# Pages of one retailer. Acts on what was decided before are refused, so the matrix changes nothing.
PAGES: dict[Page, PageRow] = {
    ("GET", f"{_R}/today"): PageRow(_SEES),
    ("GET", f"{_R}/incidents"): PageRow(_SEES),
    ("GET", f"{_R}/incidents/{{incident_id}}"): PageRow(_SEES, "incident"),
    ("POST", f"{_R}/incidents/{{incident_id}}/assign"): PageRow(
        _DECIDES, "incident", 303, {"owner": "Ada"}
    ),
    ("POST", f"{_R}/incidents/{{incident_id}}/snooze"): PageRow(_DECIDES, "incident", 303),
    ("POST", f"{_R}/incidents/{{incident_id}}/comment"): PageRow(
        _DECIDES, "incident", 303, {"words": "A try."}
    ),
    ("POST", f"{_R}/incidents/{{incident_id}}/resolve"): PageRow(
        _DECIDES, "incident", 409, {"words": "A try."}
    ),
    ("GET", f"{_R}/exceptions"): PageRow(_SEES),
    ("GET", f"{_R}/exceptions.csv"): PageRow(_SEES),
    ("POST", f"{_R}/exceptions/bulk"): PageRow(_DECIDES, "", 422, {"act": "release"}),
    ("GET", f"{_R}/exceptions/{{hold_id}}"): PageRow(_SEES, "exception"),
    ("POST", f"{_R}/exceptions/{{hold_id}}/assign"): PageRow(_DECIDES, "decided exception", 409),
    ("POST", f"{_R}/exceptions/{{hold_id}}/release"): PageRow(_DECIDES, "decided exception", 409),
    ("POST", f"{_R}/exceptions/{{hold_id}}/discard"): PageRow(
        _DECIDES, "decided exception", 409, {"reason": "A try."}
    ),
    ("POST", f"{_R}/exceptions/{{hold_id}}/comment"): PageRow(
        _DECIDES, "exception", 303, {"words": "A try."}
    ),
    ("POST", f"{_R}/exceptions/{{hold_id}}/edit"): PageRow(
        (_P.EXCEPTIONS_DECIDE, _P.PAYLOADS_READ),
        "decided exception",
        409,
        {"reason": "A try.", "content": "{}"},
    ),
    ("GET", f"{_R}/find"): PageRow((_P.MESSAGES_READ,), query="?q=o-1"),
    ("GET", f"{_R}/replays"): PageRow(_SEES),
    ("GET", f"{_R}/replays/new"): PageRow(_RUNS, "incident in the query"),
    ("POST", f"{_R}/replays"): PageRow(_RUNS, "", 422, {"reason": "A try."}),
    ("GET", f"{_R}/replays/{{replay_id}}"): PageRow(_SEES, "replay"),
    ("GET", f"{_R}/replays/{{replay_id}}/receipt.csv"): PageRow(_SEES, "replay"),
    ("POST", f"{_R}/replays/{{replay_id}}/start"): PageRow(_RUNS, "replay", 409),
    ("POST", f"{_R}/replays/{{replay_id}}/approve"): PageRow(
        (_P.EXCEPTIONS_READ, _P.REPLAYS_APPROVE), "replay", 409
    ),
    ("POST", f"{_R}/replays/{{replay_id}}/cancel"): PageRow(_RUNS, "replay", 303),
    ("GET", f"{_R}/connections"): PageRow((_P.CONNECTIONS_READ,)),
    ("GET", f"{_R}/connections/{{connection_id}}"): PageRow(
        (_P.CONNECTIONS_READ,), "target connection"
    ),
    ("POST", f"{_R}/connections/{{connection_id}}/pause"): PageRow(
        (_P.CONNECTIONS_MANAGE,), "target connection", 422
    ),
    # It works already, so nothing is written.
    ("POST", f"{_R}/connections/{{connection_id}}/resume"): PageRow(
        (_P.CONNECTIONS_MANAGE,), "target connection", 303, {"reason": "A try."}
    ),
    ("POST", f"{_R}/connections/{{connection_id}}/link"): PageRow(
        (_P.CONNECTIONS_MANAGE,), "target connection"
    ),
}
# Over all retailers that a person reaches; for nobody who has a single one.
WIDE: tuple[Page, ...] = (("GET", "/now"), ("GET", "/incidents"), ("GET", "/retailers"))
# Everybody's own, or before the door; held by tests of their own.
OWN: tuple[Page, ...] = (
    ("GET", "/"),
    ("GET", "/find"),
    ("GET", "/account"),
    ("POST", "/account/sessions/{session_id}/end"),
    ("POST", "/sign-out"),
)
OPEN_PAGES: tuple[Page, ...] = (
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/invitation/{token}"),
    ("POST", "/invitation/{token}"),
    ("GET", "/enter/{token}"),
    ("POST", "/enter/{token}"),
    ("GET", "/reconnect/{token}"),
    ("POST", "/reconnect/{token}"),
    ("GET", "/assets/brand/{name}.css"),
    ("GET", "/assets/brand/{name}.svg"),
    ("GET", "/assets/{name}"),
)
