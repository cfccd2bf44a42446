"""What must hold of every return and of every refund, by name; O-7 of the order stands here as R-6.

R-1 to R-4 are about goods, R-5 to R-10 about money; each is held against the sale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.money import Money
from connectors.canonical.order_checks import Breach, Severity
from connectors.canonical.returns import DEDUCTIONS, RefundGrant, Return

# What may be given without a receipt: value that is spent here again.
STORED_VALUE = frozenset({"store_credit", "gift_card"})


@dataclass(frozen=True, slots=True)
class Sold:
    """What a return is held against: by order line what may still come back, and what was paid.

    `captured` and `refunded` are sums in the order's currency, `tender_kinds` what it was paid with,
    `tax_rates` the rates on the sale (None: a tax without a stated rate).
    """

    returnable: dict[str, Decimal]
    captured: Decimal
    refunded: Decimal
    tender_kinds: frozenset[str]
    tax_rates: frozenset[Decimal | None]


_Found = Iterator[tuple[str, str]]
_ReturnCheck = Callable[[Return, Sold], _Found]
_GrantCheck = Callable[[RefundGrant, Sold], _Found]


def return_breaches(of: Return, sold: Sold) -> list[Breach]:
    """Give every rule that a return breaks, in the order of the rules."""
    return [
        Breach(name, severity, pointer, words)
        for name, severity, check in RETURN_RULES
        for pointer, words in check(of, sold)
    ]


def grant_breaches(of: RefundGrant, sold: Sold) -> list[Breach]:
    """Give every rule that a refund breaks, in the order of the rules."""
    return [
        Breach(name, severity, pointer, words)
        for name, severity, check in GRANT_RULES
        for pointer, words in check(of, sold)
    ]


def _positive(of: Return, _sold: Sold) -> _Found:
    for place, line in enumerate(of.lines):
        if line.requested <= 0 or line.received < 0 or line.dismissed < 0:
            yield f"/lines/{place}", f"{line.title or line.line_id}: a return has no direction."


def _received_of_requested(of: Return, _sold: Sold) -> _Found:
    for place, line in enumerate(of.lines):
        came = line.received + line.dismissed
        if came > line.requested:
            words = f"{line.title or line.line_id}: {came} came, {line.requested} were announced."
            yield f"/lines/{place}/received", words


def _returnable(of: Return, sold: Sold) -> _Found:
    """Check what is returned against what was handed over less what came back before."""
    wanted: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in of.lines:
        wanted[line.order_line_id or line.line_id] += line.requested
    for line_id, quantity in wanted.items():
        left = sold.returnable.get(line_id, Decimal(0))
        if quantity > left:
            yield "/lines", f"Line {line_id}: {quantity} to be returned, only {left} can be."


def _disposed(of: Return, _sold: Sold) -> _Found:
    for place, line in enumerate(of.lines):
        if line.disposition is not None and line.received == 0:
            words = f"{line.title or line.line_id} was judged before any of it was received."
            yield f"/lines/{place}/disposition", words


def _sums(of: RefundGrant, _sold: Sold) -> _Found:
    owed = sum((each.amount for each in of.components), Decimal(0))
    paid = sum((each.amount for each in of.tenders), Decimal(0))
    if owed != paid:
        yield "/tenders", f"Its reasons make {owed} {of.currency}, its tenders {paid}."


def _captured(of: RefundGrant, sold: Sold) -> _Found:
    """Check O-7: all refunds of an order are at most what was captured and approved goodwill."""
    goodwill = sum((each.amount for each in of.components if each.kind == "goodwill"), Decimal(0))
    paid = sum((each.amount for each in of.tenders), Decimal(0))
    if sold.refunded + paid > sold.captured + goodwill:
        words = f"{sold.refunded + paid} {of.currency} back for {sold.captured} that were paid."
        yield "/tenders", words


def _payable(of: RefundGrant, _sold: Sold) -> _Found:
    for place, each in enumerate(of.tenders):
        if not Money(amount=each.amount, currency=of.currency).is_payable():
            words = f"{each.amount} cannot be paid in {of.currency}: too many decimals."
            yield f"/tenders/{place}/amount", words


def _signs(of: RefundGrant, _sold: Sold) -> _Found:
    for place, each in enumerate(of.components):
        is_wrong = each.amount > 0 if each.kind in DEDUCTIONS else each.amount < 0
        if is_wrong and each.kind != "discrepancy":
            words = f"{each.kind} of {each.amount}: deductions are taken off, the rest is added."
            yield f"/components/{place}/amount", words


def _kept_tenders(of: RefundGrant, sold: Sold) -> _Found:
    for place, each in enumerate(of.tenders):
        if of.order_id is None and each.kind not in STORED_VALUE:
            yield f"/tenders/{place}/kind", "Without a receipt only store credit is given."
        elif each.kind == "cash" and "cash" not in sold.tender_kinds:
            yield f"/tenders/{place}/kind", "Cash is given back only where cash was paid."


def _original_rate(of: RefundGrant, sold: Sold) -> _Found:
    for place, each in enumerate(of.components):
        if each.kind in {"tax", "shipping_tax"} and each.rate not in sold.tax_rates:
            words = f"{each.name}: the sale had no tax of {each.rate}; tax goes back as it came."
            yield f"/components/{place}/rate", words


RETURN_RULES: tuple[tuple[str, Severity, _ReturnCheck], ...] = (
    ("R-1", "error", _positive),
    ("R-2", "error", _received_of_requested),
    ("R-3", "error", _returnable),
    ("R-4", "error", _disposed),
)
GRANT_RULES: tuple[tuple[str, Severity, _GrantCheck], ...] = (
    ("R-5", "error", _sums),
    ("R-6", "error", _captured),
    ("R-7", "error", _payable),
    ("R-8", "error", _signs),
    ("R-9", "error", _kept_tenders),
    ("R-10", "error", _original_rate),
)
