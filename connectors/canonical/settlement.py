"""Settlement: what a channel or payment provider says it owes for a period, line by line, and pays out.

Amounts are signed as our money: a sale is positive, a fee is negative. A settlement is immutable.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

Category = Literal[
    "principal", "shipping", "gift_wrap", "promotion", "tax_collected", "tax_withheld", "refund",
    "selling_fee", "fulfilment_fee", "payment_fee", "subscription", "storage", "advertising",
    "reimbursement", "chargeback", "adjustment", "reserve", "transfer", "unclassified",
]  # fmt: skip
Release = Literal["released", "deferred", "deferred_released"]
PayoutStatus = Literal["in_transit", "paid", "failed", "reversed"]


class SettlementLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. `type` and `description` are the channel's own words, such as `ItemFees`/`Commission`.

    `external_id` is the channel's id of the line, if it has one; `order_ref` the channel's order.
    """

    posted_at: datetime
    transaction_type: str
    type: str
    description: str
    amount: Decimal
    external_id: str = ""
    order_ref: str = ""
    line_ref: str = ""
    sku: str = ""
    quantity: Decimal | None = None
    release: Release = "released"


class Settlement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One settlement: Σ released lines + opening reserve - closing reserve = payout, exactly.

    `opening_reserve` is what was kept back last time and is due now, `closing_reserve` what is kept
    back now. A negative payout is owed to the channel.
    """

    settlement_id: str
    channel: str
    account: str = ""
    currency: str
    period_start: datetime
    period_end: datetime
    deposited_on: date | None = None
    opening_reserve: Decimal = Decimal(0)
    closing_reserve: Decimal = Decimal(0)
    payout: Decimal
    bank_reference: str = ""
    lines: tuple[SettlementLine, ...]


class Payout(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money on its way from a channel to the bank; `reference` is how the bank names it."""

    payout_id: str
    settlement_id: str = ""
    amount: Decimal
    currency: str
    arrives_on: date
    status: PayoutStatus = "in_transit"
    reference: str = ""


class BankLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One booking on the bank account, as the bank tells it; money in is positive."""

    account: str
    booked_on: date
    amount: Decimal
    currency: str
    reference: str = ""

    def key(self) -> str:
        """Name the line by its content: a bank file that comes twice has the same lines."""
        return _digest(
            self.account, self.booked_on.isoformat(), f"{self.amount.normalize():f}",
            self.currency, self.reference,
        )  # fmt: skip


def line_keys(lines: Iterable[SettlementLine]) -> list[str]:
    """Name each line: by the channel's id, or by content and which of several alike it is.

    The same file gives the same names, so lines that come again are known.
    """
    seen: Counter[str] = Counter()
    keys = []
    for line in lines:
        key = line.external_id or _digest(
            line.posted_at.isoformat(), line.transaction_type, line.type, line.description,
            line.order_ref, line.line_ref, line.sku, line.release,
            f"{line.amount.normalize():f}", str(line.quantity),
        )  # fmt: skip
        keys.append(f"{key}#{seen[key]}" if seen[key] else key)
        seen[key] += 1
    return keys


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
