"""The lines of a ticket with their rewards and taxes, adding up to the till's own total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from lxml import etree

from connectors.canonical.money import minor_units
from connectors.canonical.order import Line, Tax
from connectors.catalog.pos_files.amounts import charged_unit_price
from connectors.catalog.pos_files.gtin import gtin_14
from connectors.catalog.pos_files.poslog_charges import (
    Reward,
    TicketTax,
    reward_per_line,
    rewards_of,
    tax_per_line,
    taxes_of,
)
from connectors.catalog.pos_files.poslog_goods import Goods, goods_of
from connectors.sdk.message import HoldRecord


def balanced_lines(
    retail: etree._Element, total: Decimal, currency: str, weight_uom: str
) -> tuple[Line, ...]:
    """Build the lines of a ticket, tax excluded in prices.

    Gives:  lines in ticket order, the sum of whose gross amounts is exactly `total`.
    Raises: HoldRecord `order.totals_differ` with both numbers; nothing is rounded or spread to fit.
    """
    goods = goods_of(retail, currency, weight_uom)
    rewards = rewards_of(retail, currency)
    taxes = taxes_of(retail, currency)
    goods = _with_discounts(goods, total - _charges(rewards, taxes))
    computed = _sum([line.extended for line in goods]) + _charges(rewards, taxes)
    if computed != total or (computed and not goods):
        raise HoldRecord(
            "order.totals_differ",
            "/Transaction/RetailTransaction/Total[@TotalType='TransactionGrandAmount']",
            f"Its lines, discounts and taxes come to {computed} {currency}, its total says {total} "
            f"{currency}. They must be equal. Correct the ticket at the till, or release it with "
            "the line that is missing.",
        )
    off = reward_per_line(goods, rewards, currency)
    nets = [line.extended + share for line, share in zip(goods, off, strict=True)]
    spread = [(tax, tax_per_line(goods, nets, tax, currency)) for tax in taxes]
    return tuple(
        _line(
            line,
            off[at],
            tuple(Tax(name=t.name, amount=p[at]) for t, p in spread if p[at]),
            currency,
        )
        for at, line in enumerate(goods)
    )


def _with_discounts(goods: tuple[Goods, ...], expected: Decimal) -> tuple[Goods, ...]:
    """Say whether extended amounts are before or after line discounts: as the ticket's total shows.

    ARTS defines the extended amount as after discount; some tills write it before. Only when the
    lines miss the total by exactly the discounts they declare are those taken off.
    """
    before = _sum([line.extended for line in goods])
    declared = _sum([line.discount for line in goods])
    if not declared or before - declared != expected:
        return goods
    return tuple(replace(line, extended=line.extended - line.discount) for line in goods)


def _line(goods: Goods, reward: Decimal, taxes: tuple[Tax, ...], currency: str) -> Line:
    cent = Decimal(1).scaleb(-minor_units(currency))
    net = goods.extended + reward
    discount = goods.discount - reward
    price = charged_unit_price(goods.regular_price, goods.quantity, net + discount, cent)
    return Line(
        line_id=goods.line_id,
        sku=goods.code or None,
        gtin=gtin_14(goods.code),
        title=goods.title,
        quantity=goods.quantity,
        uom=goods.uom,
        unit_price=price,
        discount=discount,
        net=net,
        taxes=taxes,
        gross=net + _sum([tax.amount for tax in taxes]),
        is_voided=goods.is_voided,
    )


def _charges(rewards: Sequence[Reward], taxes: Sequence[TicketTax]) -> Decimal:
    return _sum([reward.amount for reward in rewards]) + _sum([tax.amount for tax in taxes])


def _sum(amounts: Sequence[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
