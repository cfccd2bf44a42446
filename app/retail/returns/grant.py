"""What a return is worth: the share of each line that came back, tax at the rate of the sale.

Shares are differences of cumulative ones: three returns of one piece each make exactly the line, to
the minor unit, whatever each of them rounds to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from app.retail.returns.fold import Case
from app.retail.returns.sale import Sale, SoldLine
from app.retail.returns.steps import KINDS
from connectors.canonical.money import quantized
from connectors.canonical.returns import Component

ZERO = Decimal(0)


def returned_quantities(case: Case) -> dict[str, Decimal]:
    """Give by order line how much is to be refunded: what was judged, or all where no goods come."""
    request = case.request
    if request is None:
        return {}
    quantities: defaultdict[str, Decimal] = defaultdict(Decimal)
    lines = {line.line_id: line.order_line_id or line.line_id for line in request.lines}
    rule = KINDS[request.kind]
    if rule.expects_goods and rule.we_pay:
        for each in case.inspections.values():
            quantities[lines.get(each.line_id, each.line_id)] += each.quantity
    else:
        for line in request.lines:
            quantities[lines[line.line_id]] += line.requested - case.dismissed[line.line_id]
    return dict(quantities)


def components(case: Case) -> tuple[Component, ...]:
    """Give what the return comes to, part by part; empty while nothing can be refunded."""
    if case.sale is None:
        return ()
    sale, quantities = case.sale, returned_quantities(case)
    parts = [
        each
        for line in sale.lines
        for each in _of_line(line, quantities.get(line.line_id, ZERO), sale.currency)
        if each.amount
    ]
    if not parts:
        return ()
    if case.policy.refunds_shipping and _is_all(sale, quantities):
        parts += _shipping(sale)
    if case.policy.goodwill:
        parts.append(Component(kind="goodwill", amount=case.policy.goodwill))
    return tuple(each for each in (*parts, *_fees(case, total(tuple(parts)))) if each.amount)


def total(parts: tuple[Component, ...]) -> Decimal:
    """Sum up components."""
    return sum((each.amount for each in parts), ZERO)


def _of_line(line: SoldLine, quantity: Decimal, currency: str) -> Iterator[Component]:
    after = min(line.returned + quantity, line.quantity)

    def share(amount: Decimal) -> Decimal:
        before = quantized(amount * line.returned / line.quantity, currency)
        return quantized(amount * after / line.quantity, currency) - before

    yield Component(kind="item", amount=share(line.net), line_id=line.line_id)
    for tax in line.taxes:
        yield Component(
            kind="tax",
            amount=share(tax.amount),
            line_id=line.line_id,
            name=tax.name,
            rate=tax.rate,
        )


def _is_all(sale: Sale, quantities: dict[str, Decimal]) -> bool:
    return all(
        line.returned + quantities.get(line.line_id, ZERO) >= line.quantity for line in sale.lines
    )


def _shipping(sale: Sale) -> Iterator[Component]:
    yield Component(kind="shipping", amount=sale.shipping)
    for tax in sale.shipping_taxes:
        yield Component(kind="shipping_tax", amount=tax.amount, name=tax.name, rate=tax.rate)


def _fees(case: Case, worth: Decimal) -> Iterator[Component]:
    """Take the fees off, never more than there is."""
    restocking = min(case.policy.restocking_fee, worth)
    yield Component(kind="restocking_fee", amount=-restocking)
    yield Component(kind="return_shipping", amount=-min(case.policy.label_fee, worth - restocking))
