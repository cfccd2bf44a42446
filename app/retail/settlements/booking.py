"""A settlement as balances to book: the payout, the fees, and what the channel owed us until now.

Every category has one role. What nobody can classify, and money for orders that are unknown, is booked
in suspense under its own name, so that the settlement balances and nothing is hidden.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from decimal import Decimal

from app.retail.journals.fold import Balances, RoleKey, added
from app.retail.journals.rules import PostingRules
from app.retail.journals.templates import Role
from app.retail.settlements.categories import Classified
from connectors.canonical.settlement import Category, Settlement

# Providers that pay out what cards were charged; all other channels owe by themselves.
CARD_CHANNELS = frozenset({"stripe", "adyen", "square"})

ROLE_OF: dict[Category, tuple[Role, str]] = {
    "principal": ("marketplace_receivable", ""),
    "shipping": ("marketplace_receivable", ""),
    "gift_wrap": ("marketplace_receivable", ""),
    "promotion": ("marketplace_receivable", ""),
    "refund": ("marketplace_receivable", ""),
    "tax_collected": ("marketplace_tax", "settled"),
    "tax_withheld": ("marketplace_tax", "settled"),
    "selling_fee": ("fees_expense", "selling_fee"),
    "fulfilment_fee": ("fees_expense", "fulfilment_fee"),
    "payment_fee": ("fees_expense", "payment_fee"),
    "subscription": ("fees_expense", "subscription"),
    "storage": ("fees_expense", "storage"),
    "advertising": ("advertising_expense", ""),
    "reimbursement": ("reimbursement_income", ""),
    "chargeback": ("chargeback_loss", ""),
    "adjustment": ("settlement_suspense", "adjustment"),
    "reserve": ("reserve_receivable", ""),
    "transfer": ("cash_in_transit", ""),
    "unclassified": ("settlement_suspense", ""),
}


def settlement_balances(
    settlement: Settlement,
    lines: Iterable[Classified],
    orphans: Collection[str],
    rules: PostingRules,
) -> Balances:
    """Give what a settlement books; deferred lines stay receivable until they are released."""
    sums: defaultdict[RoleKey, Decimal] = defaultdict(Decimal)
    sums["cash_in_transit", settlement.channel] += settlement.payout
    sums["reserve_receivable", settlement.channel] += (
        settlement.closing_reserve - settlement.opening_reserve
    )
    for each in lines:
        if each.line.release != "deferred":
            sums[_role(each, settlement.channel, orphans, rules)] -= each.line.amount
    return added([sums])


def _role(each: Classified, channel: str, orphans: Collection[str], rules: PostingRules) -> RoleKey:
    role, detail = ROLE_OF[each.category]
    if role == "marketplace_receivable" and each.line.order_ref in orphans:
        return ("settlement_suspense", "unknown orders")
    if each.category == "tax_collected" and rules.marketplace_tax == "in_and_out":
        return ("marketplace_receivable", "")
    if role == "marketplace_receivable" and channel in CARD_CHANNELS:
        return ("tender_clearing", "card")
    if each.category == "unclassified":
        return (role, f"{each.line.type}: {each.line.description}"[:200])
    if role in {"reserve_receivable", "cash_in_transit"}:
        return (role, channel)
    return (role, detail)
