"""Rewards and taxes of a ticket, and how they fall on its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

from connectors.canonical.money import allocate
from connectors.catalog.pos_files.amounts import amount
from connectors.catalog.pos_files.poslog_goods import Goods, is_flagged_void, line_items
from connectors.catalog.pos_files.poslog_parse import attribute, child, text_at


@dataclass(frozen=True, slots=True)
class Reward:
    """Money that a promotion changes on the ticket (negative: the customer pays less)."""

    operator_sequence: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class TicketTax:
    """One tax of the whole ticket; the source's amount is trusted and never recomputed."""

    tax_id: str
    name: str
    amount: Decimal


def rewards_of(retail: etree._Element, currency: str) -> tuple[Reward, ...]:
    """Read the rewards that change the price.

    NCR writes rewards of many categories; only `Monetary` ones move money (the amount of a custom
    offer counts offers). A reward over several lines comes once per line (`detailedData`) and once
    more as their sum (`summarizedActivity` alone), which would count it twice.
    """
    found = ((child(item, "LoyaltyReward"), item, at) for item, at in line_items(retail))
    return tuple(
        Reward(
            text_at(reward, "OperatorSequenceReference"),
            amount(
                text_at(reward, "ExtendedRewardAmount") or "0",
                currency,
                f"{at}/LoyaltyReward/ExtendedRewardAmount",
            ),
        )
        for reward, item, at in found
        if reward is not None and _moves_money(reward) and not _is_struck(item, reward)
    )


def taxes_of(retail: etree._Element, currency: str) -> tuple[TicketTax, ...]:
    """Read the ticket's taxes; their percentage is no fact ("rough calculated value", says NCR)."""
    found = ((child(item, "Tax"), item, at) for item, at in line_items(retail))
    return tuple(
        TicketTax(
            tax_id=attribute(tax, "TaxID"),
            name=attribute(tax, "TaxDescription") or attribute(tax, "TaxType") or "Tax",
            amount=amount(text_at(tax, "Amount"), currency, f"{at}/Tax/Amount"),
        )
        for tax, item, at in found
        if tax is not None and not is_flagged_void(item)
    )


def reward_per_line(
    goods: Sequence[Goods], rewards: Sequence[Reward], currency: str
) -> list[Decimal]:
    """Put each reward on the line it names; one for the whole ticket is spread by amount."""
    shares = [Decimal(0)] * len(goods)
    place = {line.operator_sequence: at for at, line in enumerate(goods) if not line.is_voided}
    for reward in rewards:
        if reward.operator_sequence in place:
            shares[place[reward.operator_sequence]] += reward.amount
        else:
            weights = [_weight(line, line.extended) for line in goods]
            _add(shares, _spread(reward.amount, weights, currency) if goods else [])
    return shares


def tax_per_line(
    goods: Sequence[Goods], nets: Sequence[Decimal], tax: TicketTax, currency: str
) -> list[Decimal]:
    """Spread a tax over the lines that are subject to it; over all when the till flags none."""
    if not goods:
        return []
    subject = [tax.tax_id in line.tax_ids and not line.is_voided for line in goods]
    if not any(subject):
        subject = [not line.is_voided for line in goods]
    chosen = [at for at, is_subject in enumerate(subject) if is_subject] or list(range(len(goods)))
    parts = _spread(tax.amount, [_weight(goods[at], nets[at]) for at in chosen], currency)
    shares = [Decimal(0)] * len(goods)
    for at, part in zip(chosen, parts, strict=True):
        shares[at] = part
    return shares


def _moves_money(reward: etree._Element) -> bool:
    is_detail = attribute(reward, "detailedData") == "true"
    is_summary = attribute(reward, "summarizedActivity") == "true"
    category = text_at(reward, "RewardCategory") or "Monetary"
    return category == "Monetary" and (is_detail or not is_summary)


def _is_struck(item: etree._Element, reward: etree._Element) -> bool:
    """Say whether a reward was voided where it stands; a reversal (positive) counts."""
    is_reduction = text_at(reward, "ExtendedRewardAmount").startswith("-")
    return is_flagged_void(item) and is_reduction


def _weight(line: Goods, amount: Decimal) -> Decimal:
    return Decimal(0) if line.is_voided else abs(amount)


def _spread(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Allocate an amount of either sign; the cent left over goes to the earlier line in both."""
    sign = -1 if amount < 0 else 1
    return [sign * part for part in allocate(abs(amount), weights, currency)]


def _add(shares: list[Decimal], parts: Sequence[Decimal]) -> None:
    for at, part in enumerate(parts):
        shares[at] += part
