"""Stock as one system states it at one moment."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec


class StockPosition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of one SKU a location can sell, as of a moment; latest wins per (location, sku).

    `previous` is what the same source stated before, for targets that compare before they set.
    """

    sku: str
    location: str
    available: Decimal
    uom: str = "EA"
    as_of: datetime
    previous: Decimal | None = None
