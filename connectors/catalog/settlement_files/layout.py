"""The columns of settlement reports: which of them say an amount, and what the amount is for.

V2 has one amount on each line, named by two columns. V1 (until March 2026) has a column for each kind
of amount; a line of it is read as one line for each amount that it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connectors.sdk.message import HoldRecord

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of amount: its column, the column that names it, and the type it has in V2."""

    amount: str
    type: str
    named_by: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class Said:
    """One amount of a line: where it stands, how it is written, and the two words that name it."""

    column: str
    text: str
    type: str
    description: str


HEAD = ("settlement-id", "settlement-start-date", "settlement-end-date", "total-amount", "currency")
_V2 = frozenset({"transaction-type", "amount-type", "amount-description", "amount"})
# Source: the columns of a real V1 report, and the types that V2 gives the same amounts.
_V1_PARTS = (
    Part("shipment-fee-amount", "ShipmentFees", "shipment-fee-type", "Shipment fee"),
    Part("order-fee-amount", "OrderFees", "order-fee-type", "Order fee"),
    Part("price-amount", "ItemPrice", "price-type", "Price"),
    Part("item-related-fee-amount", "ItemFees", "item-related-fee-type", "Fee"),
    Part("misc-fee-amount", "MiscFees", "", "Miscellaneous fee"),
    Part("other-fee-amount", "OtherFees", "other-fee-reason-description", "Other fee"),
    Part("promotion-amount", "Promotion", "promotion-type", "Promotion"),
    Part("direct-payment-amount", "DirectPayment", "direct-payment-type", "Direct payment"),
    Part("other-amount", "other-transaction", "transaction-type", "Other"),
)
_V1 = frozenset({"transaction-type", *(part.amount for part in _V1_PARTS)})


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one file, in file order."""

    columns: tuple[str, ...]
    is_v2: bool

    def said(self, fields: Fields) -> Iterator[Said]:
        """Give the amounts of a line; a line may say none (V1 tells the quantity on its own)."""
        if self.is_v2:
            if fields["amount"]:
                yield Said(
                    "amount", fields["amount"], fields["amount-type"], fields["amount-description"]
                )
            return
        for part in _V1_PARTS:
            if fields[part.amount]:
                named = fields.get(part.named_by, "") or part.otherwise
                yield Said(part.amount, fields[part.amount], part.type, named)


def layout_of(header: str) -> Layout:
    """Read the first line of a file; raises HoldRecord when it is no settlement report."""
    columns = tuple(name.strip().lower() for name in header.rstrip("\r\n").split("\t"))
    known = frozenset(columns)
    is_v2 = known >= _V2
    if not known.issuperset(HEAD) or not (is_v2 or known >= _V1) or len(known) != len(columns):
        raise HoldRecord(
            "csv.columns",
            "/line/1",
            "This is no settlement report: its first line does not name the columns of one. Nothing of"
            " the file was used. Download the settlement report as a flat file (V2) and send that.",
        )
    return Layout(columns, is_v2)
