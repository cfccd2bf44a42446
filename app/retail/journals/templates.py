"""Posting templates: which side and which role each fact of a sale, and each movement, is booked under.

All money goes over clearing roles, so that a sale and its payout may each come late. Amounts of facts
are signed as the customer's sale: a return is the same fact with a negative amount.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Side = Literal["debit", "credit"]
Role = Literal[
    "revenue", "returns", "discounts", "tax_payable", "marketplace_tax", "shipping_income",
    "fee_income", "tips_payable", "deposits_payable", "gift_card_liability",
    "store_credit_liability", "tender_clearing", "marketplace_receivable", "customer_receivable",
    "tender_suspense", "rounding", "suspense", "over_short", "cash_in_transit", "bank",
    "fees_expense", "advertising_expense", "reimbursement_income", "chargeback_loss",
    "reserve_receivable", "settlement_suspense", "cost_of_goods", "inventory", "write_off",
    "loyalty_liability",
]  # fmt: skip
ROLES: tuple[Role, ...] = get_args(Role)

FactKind = Literal[
    "goods", "returned_goods", "discount", "tax", "marketplace_tax", "shipping", "refunded_shipping",
    "fee", "tip", "deposit", "gift_card_sold", "rounding", "unexplained", "tender", "gift_card_tender",
    "store_credit_tender", "marketplace_tender", "rounding_tender", "unpaid", "tender_difference",
    "withheld_tax",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leg:
    """The side and the role under which the positive amount of a fact is booked."""

    side: Side
    role: Role


LEGS: dict[FactKind, Leg] = {
    "goods": Leg("credit", "revenue"),
    "returned_goods": Leg("credit", "returns"),
    "discount": Leg("debit", "discounts"),
    "tax": Leg("credit", "tax_payable"),
    "marketplace_tax": Leg("credit", "marketplace_tax"),
    "shipping": Leg("credit", "shipping_income"),
    # Money without goods in a refund: goodwill, shipping, kept fees.
    "refunded_shipping": Leg("credit", "returns"),
    "fee": Leg("credit", "fee_income"),
    "tip": Leg("credit", "tips_payable"),
    "deposit": Leg("credit", "deposits_payable"),
    "gift_card_sold": Leg("credit", "gift_card_liability"),
    "rounding": Leg("credit", "rounding"),
    "unexplained": Leg("credit", "suspense"),
    "tender": Leg("debit", "tender_clearing"),
    "gift_card_tender": Leg("debit", "gift_card_liability"),
    "store_credit_tender": Leg("debit", "store_credit_liability"),
    "marketplace_tender": Leg("debit", "marketplace_receivable"),
    "rounding_tender": Leg("debit", "rounding"),
    "unpaid": Leg("debit", "customer_receivable"),
    "tender_difference": Leg("debit", "tender_suspense"),
    "withheld_tax": Leg("debit", "marketplace_receivable"),
}


@dataclass(frozen=True, slots=True)
class Move:
    """A movement of money or value from one role (credit) to another (debit)."""

    debit: Role
    credit: Role


MOVES: dict[str, Move] = {
    "goods_shipped": Move("cost_of_goods", "inventory"),
    "return_restocked": Move("inventory", "cost_of_goods"),
    "return_damaged": Move("write_off", "cost_of_goods"),
    "cash_deposited": Move("cash_in_transit", "tender_clearing"),
    "deposit_banked": Move("bank", "cash_in_transit"),
    "cash_over": Move("tender_clearing", "over_short"),
    "cash_short": Move("over_short", "tender_clearing"),
    "loyalty_earned": Move("revenue", "loyalty_liability"),
    "loyalty_redeemed": Move("loyalty_liability", "revenue"),
    "payout_failed": Move("cash_in_transit", "bank"),
}
