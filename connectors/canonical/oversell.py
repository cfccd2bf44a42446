"""What a retailer decided about an order for which there are no goods."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

OversellResolution = Literal["re_source", "substitute", "backorder", "cancel"]


class OversellDecision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an oversold order ends, told to whoever serves it and writes to the customer.

    `location` is where the goods come from instead, `substitute_sku` what is sent instead,
    `expected_at` when they come after all. `message` is for the customer, in the shop's words.
    """

    case_id: str
    channel: str
    order_id: str
    sku: str
    quantity: Decimal
    resolution: OversellResolution
    location: str = ""
    substitute_sku: str = ""
    expected_at: datetime | None = None
    message: str = ""
    decided_at: datetime
    amount: Decimal | None = None
    currency: str = ""
