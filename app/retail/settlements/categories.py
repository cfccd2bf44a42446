"""What a channel's words mean: (channel, type, description) -> category, as a versioned table.

An unseen pair is no error: its money is booked in suspense and asked about once, however many lines
have it. Descriptions that say nothing about the category are `*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.settlement import Category, SettlementLine

VERSION = 1
ANY = "*"
Pair = tuple[str, str]

# Source: columns and values of Amazon's settlement report flat file V2, seller documentation (type
# is amount-type, description is amount-description); V1 names are those of a real report of 2015.
_AMAZON: dict[Pair, Category] = {
    ("ItemPrice", "Principal"): "principal",
    ("ItemPrice", "Shipping"): "shipping",
    ("ItemPrice", "GiftWrap"): "gift_wrap",
    ("ItemPrice", "Tax"): "tax_collected",
    ("ItemPrice", "ShippingTax"): "tax_collected",
    ("ItemPrice", "GiftWrapTax"): "tax_collected",
    ("ItemWithheldTax", ANY): "tax_withheld",
    ("Promotion", ANY): "promotion",
    ("ItemFees", "Commission"): "selling_fee",
    ("ItemFees", "RefundCommission"): "selling_fee",
    ("ItemFees", "VariableClosingFee"): "selling_fee",
    ("ItemFees", "FixedClosingFee"): "selling_fee",
    ("ItemFees", "FBAPerUnitFulfillmentFee"): "fulfilment_fee",
    ("ItemFees", "FBAPerOrderFulfillmentFee"): "fulfilment_fee",
    ("ItemFees", "FBAWeightBasedFee"): "fulfilment_fee",
    ("ItemFees", "ShippingChargeback"): "fulfilment_fee",
    ("ItemFees", "ShippingHB"): "selling_fee",
    ("Cost of Advertising", ANY): "advertising",
    ("FBA Inventory Reimbursement", ANY): "reimbursement",
    ("other-transaction", "Subscription Fee"): "subscription",
    ("other-transaction", "Storage Fee"): "storage",
    ("other-transaction", "StorageRenewalBilling"): "storage",
    ("other-transaction", "Current Reserve Amount"): "reserve",
    ("other-transaction", "Previous Reserve Amount Balance"): "reserve",
    ("other-transaction", "Shipping label purchase"): "fulfilment_fee",
}
# Source: reporting_category of Stripe's reports; it does not change with new types of transaction.
_STRIPE: dict[Pair, Category] = {
    ("charge", ANY): "principal",
    ("partial_capture_reversal", ANY): "refund",
    ("refund", ANY): "refund",
    ("refund_failure", ANY): "refund",
    ("dispute", ANY): "chargeback",
    ("dispute_reversal", ANY): "chargeback",
    ("fee", ANY): "payment_fee",
    ("network_cost", ANY): "payment_fee",
    ("payout", ANY): "transfer",
    ("payout_reversal", ANY): "transfer",
    ("risk_reserved_funds", ANY): "reserve",
    ("other_adjustment", ANY): "adjustment",
}
CATEGORIES: Mapping[str, Mapping[Pair, Category]] = {"amazon": _AMAZON, "stripe": _STRIPE}
# In these transactions the price parts of an item are money given back.
REFUNDING = frozenset({"Refund", "Chargeback Refund", "A-to-z Guarantee Refund"})
_PRICE = frozenset({"principal", "shipping", "gift_wrap", "promotion"})


@dataclass(frozen=True, slots=True)
class Classified:
    """A line with what it is."""

    line: SettlementLine
    category: Category


@dataclass(frozen=True, slots=True)
class NewPair:
    """Words that a channel never used before: how many lines have them, and their money."""

    channel: str
    type: str
    description: str
    lines: int
    amount: Decimal


def classify(
    channel: str,
    lines: Iterable[SettlementLine],
    learned: Mapping[Pair, Category] | None = None,
) -> tuple[list[Classified], list[NewPair]]:
    """Say what each line is, and name every pair of words that is unknown, once.

    `learned` are pairs that a person decided; they go before the table.
    """
    table = {**CATEGORIES.get(channel, {}), **(learned or {})}
    classified: list[Classified] = []
    unknown: dict[Pair, tuple[int, Decimal]] = {}
    for line in lines:
        pair = (line.type, line.description)
        category: Category = table.get(pair) or table.get((line.type, ANY)) or "unclassified"
        if category in _PRICE and line.transaction_type in REFUNDING:
            category = "refund"
        if category == "unclassified":
            count, amount = unknown.get(pair, (0, Decimal(0)))
            unknown[pair] = (count + 1, amount + line.amount)
        classified.append(Classified(line, category))
    new = [
        NewPair(channel, type_, description, count, amount)
        for (type_, description), (count, amount) in sorted(unknown.items())
    ]
    return classified, new
