"""Return (goods) and refund (money): two objects, because each may be partial without the other.

Amounts are exact decimals in `currency`. A return carries no person: who bought stays with the order.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from connectors.canonical.order import TenderKind

ReturnKind = Literal[
    "mail_in", "in_store", "refused_delivery", "lost_in_transit", "marketplace",
    "marketplace_fba", "exchange", "warranty", "recall",
]  # fmt: skip
# What becomes of the goods once somebody has looked at them.
Disposition = Literal[
    "restock", "damaged", "refurbish", "vendor_return", "destroy", "donate", "quarantine",
]  # fmt: skip
# What a refund is made of. Deductions are negative; `discrepancy` is the named difference between
# what the lines come to and what a till or channel paid back by its own reckoning.
ComponentKind = Literal[
    "item", "tax", "shipping", "shipping_tax", "fee", "duty", "goodwill", "restocking_fee",
    "return_shipping", "discrepancy",
]  # fmt: skip
DEDUCTIONS: frozenset[ComponentKind] = frozenset({"restocking_fee", "return_shipping"})
PayBackKind = TenderKind | Literal["exchange"]
RefundStatus = Literal["pending", "succeeded", "failed"]


class ReturnLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that comes back; quantities are positive, `dismissed` came but was not accepted.

    `order_line_id` is None without a receipt. `disposition` stays None until it was inspected.
    """

    line_id: str
    order_line_id: str | None = None
    sku: str | None = None
    title: str = ""
    uom: str = "EA"
    requested: Decimal
    received: Decimal = Decimal(0)
    dismissed: Decimal = Decimal(0)
    reason: str = ""
    disposition: Disposition | None = None
    restock_location: str | None = None


class Exchange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The new order that is given for the goods; its `total` is paid by the return as far as it goes."""

    order_id: str
    total: Decimal


class Return(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods on their way back; `order_id` is None when there is no receipt.

    `is_gift`: who brings it did not pay for it, so it is credit and never the buyer's money.
    """

    return_id: str
    number: str
    kind: ReturnKind
    order_id: str | None = None
    currency: str
    initiated_at: datetime
    business_day: date | None = None
    location: str | None = None
    rma: str = ""
    lines: tuple[ReturnLine, ...] = ()
    exchange: Exchange | None = None
    is_gift: bool = False


class Component(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part of a refund with its reason; `rate` is that of the sale, never that of today."""

    kind: ComponentKind
    amount: Decimal
    line_id: str = ""
    name: str = ""
    rate: Decimal | None = None


class PayBack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much goes back to one tender of the sale (`tender_id`), and as what it is paid.

    `exchange` is credit for the new order. `kind` differs from the tender's own only when a person
    chose so, such as store credit for a card that was closed.
    """

    tender_id: str
    kind: PayBackKind
    amount: Decimal
    reference: str = ""


class RefundGrant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money that is owed for a return; Σ components = Σ pay backs once all of it is routed."""

    return_id: str
    order_id: str | None = None
    currency: str
    components: tuple[Component, ...] = ()
    tenders: tuple[PayBack, ...] = ()


class RefundExecution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money that was given back, or not; `reference` is the id of whoever moved it."""

    return_id: str
    currency: str
    paid: PayBack
    status: RefundStatus
    happened_at: datetime
    business_day: date | None = None
