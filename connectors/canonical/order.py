"""Order: one object for web, marketplace and till sales; a till sale is paid and already handed over.

Amounts are exact decimals in `currency`. `tax_inclusive` says whether unit prices contain tax.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

OrderKind = Literal["web", "marketplace", "pos", "phone"]
TenderKind = Literal[
    "cash", "card", "wallet", "gift_card", "store_credit", "voucher", "account", "check",
    "marketplace", "change", "rounding", "other",
]  # fmt: skip


class Tax(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One tax on a line or on shipping; the source's amount is trusted and never recomputed."""

    name: str
    rate: Decimal | None = None
    amount: Decimal


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing sold (quantity > 0) or taken back (quantity < 0).

    `net` is unit price times quantity less `discount`, as the source says it; `gross` is what the
    customer pays for the line, tax included. `sku` is None for an unmapped item: it never blocks
    the money, only its stock.
    """

    line_id: str
    sku: str | None = None
    gtin: str | None = None
    title: str
    quantity: Decimal
    uom: str = "EA"
    unit_price: Decimal
    discount: Decimal = Decimal(0)
    net: Decimal
    taxes: tuple[Tax, ...] = ()
    gross: Decimal
    is_voided: bool = False


class Tender(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How it was paid; change given back is a tender of kind `change` with a negative amount."""

    kind: TenderKind
    name: str
    amount: Decimal
    reference: str | None = None


class Address(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A postal address as the source gives it; every field may be masked or missing."""

    name: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""
    phone: str = ""


class Customer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who bought, as far as the source tells; persons are optional in every object."""

    external_id: str | None = None
    name: str = ""
    email: str = ""
    is_masked: bool = False


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sale with its lines, taxes and tenders; Σ line.gross + shipping + fees + rounding = total.

    Till fields (`store`, `workstation`, `sequence`, `business_day`) form the natural key of a till
    sale: (store, business day, workstation, sequence). A pending order is one that its channel has not
    let go yet (no address, perhaps no price): it is known, and goes to no other system.
    """

    order_id: str
    number: str
    kind: OrderKind
    currency: str
    tax_inclusive: bool = False
    placed_at: datetime
    business_day: date | None = None
    store: str | None = None
    workstation: str | None = None
    operator: str | None = None
    sequence: str | None = None
    lines: tuple[Line, ...] = ()
    shipping: Decimal = Decimal(0)
    shipping_taxes: tuple[Tax, ...] = ()
    fees: Decimal = Decimal(0)
    rounding: Decimal = Decimal(0)
    total: Decimal
    tenders: tuple[Tender, ...] = ()
    customer: Customer | None = None
    ship_to: Address | None = None
    is_test: bool = False
    is_pending: bool = False
    cancels: str | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money given back for an order; goods movement is told by `lines` with `restock`."""

    refund_id: str
    order_id: str
    order_number: str = ""
    currency: str
    happened_at: datetime
    lines: tuple[Line, ...] = ()
    amount: Decimal
    tenders: tuple[Tender, ...] = ()


class Fulfilment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods that left for an order, with their tracking; `currency` is that of the lines, if told."""

    fulfilment_id: str
    order_id: str
    order_number: str = ""
    status: str
    shipped_at: datetime
    carrier: str = ""
    tracking_numbers: tuple[str, ...] = ()
    currency: str = ""
    lines: tuple[Line, ...] = ()
