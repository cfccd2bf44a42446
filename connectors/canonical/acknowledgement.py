"""What a channel is told when its order was taken: that it will be seen to, and since when."""

from __future__ import annotations

from datetime import datetime

import msgspec


class OrderAcknowledgement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order was taken; `acknowledge_by` is the channel's own deadline for hearing of it, if any."""

    order_id: str
    number: str
    channel: str
    acknowledged_at: datetime
    acknowledge_by: datetime | None = None
