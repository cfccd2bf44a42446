"""A target that refuses some orders, as an ERP refuses a customer it does not know."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from connectors.catalog.http.emulator import Target
from connectors.catalog.http.emulator.target import Reply

_REFUSAL = Reply(
    422, b'{"title":"Unknown customer.","errors":[{"pointer":"/data/customer","code":"unknown"}]}'
)


@dataclass(slots=True)
class PickyTarget(Target):
    """Refuses the orders in `refused` (by order id) unless they have the store `accepted_store`."""

    refused: set[str] = field(default_factory=set)
    accepted_store: str = "9"
    taken: list[dict[str, Any]] = field(default_factory=list)

    def take(self, headers: dict[str, str], body: bytes) -> Reply:
        """Refuse, or take as the recording target does and keep what was sent."""
        event = json.loads(body)
        order = event["data"]
        if order.get("order_id") in self.refused and order.get("store") != self.accepted_store:
            return _REFUSAL
        self.taken.append({**order, "idempotency_key": headers.get("idempotency-key", "")})
        return Target.take(self, headers, body)
