"""What the books are told of an order: the difference that one agreement makes, never the order anew."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

PostingReason = Literal["order", "order_edit", "cancellation", "refund", "return", "correction"]
PostingLineType = Literal["product", "shipping", "fee", "rounding"]


class PostingLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one line adds to the books, or takes from them when it is negative.

    `line_id` is the source's id of the line, empty for shipping and the like.
    """

    type: PostingLineType
    line_id: str = ""
    sku: str | None = None
    quantity: Decimal = Decimal(0)
    net: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    gross: Decimal = Decimal(0)


class OrderPosting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One agreement on an order as the books take it; Σ postings of an order = the order as it stands.

    `agreement` counts from 1 in the order in which they came; `total` is Σ gross of the lines.
    """

    order_id: str
    number: str
    agreement: int
    reason: PostingReason
    happened_at: datetime
    business_day: date | None = None
    channel: str = ""
    currency: str
    total: Decimal
    lines: tuple[PostingLine, ...]
