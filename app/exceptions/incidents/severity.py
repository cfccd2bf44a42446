"""How grave an incident is (0 to 3) and where it stands in the list: pure rules, one table each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from app.exceptions.incidents.rules import rules_of

GRAVEST = 3
MANY_RECORDS = 1_000
# Orders and payments weigh more than other records; one of them alone is no reason to wake somebody.
URGENT_SHARE_0_1 = 0.5
URGENT_FROM = 10
# Passed shares of the time to a deadline that people are told of (percent), with the severity each
# brings at least.
DEADLINE_SHARES: dict[int, int] = {50: 2, 80: 3, 100: 3}
# What money brings at least, unless the retailer's entitlements say other amounts.
NOTABLE_AMOUNT, SEVERE_AMOUNT = Decimal(1_000), Decimal(10_000)
# Their smallest unit is about what a cent is elsewhere.
_WITHOUT_CENTS = frozenset({"JPY", "KRW", "CLP", "ISK", "HUF", "IDR", "VND", "PYG"})
# How much sooner a case of each severity is looked at than its money alone would say.
URGENCY: dict[int, int] = {0: 1, 1: 2, 2: 4, 3: 8}
OVERDUE_URGENCY = 2


@dataclass(frozen=True, slots=True)
class Gravity:
    """What severity is decided from: `urgent` counts records of the first class of priority (P0)."""

    error_class: str
    records: int
    urgent: int
    at_risk: Mapping[str, Decimal]
    share: int
    thresholds: Mapping[str, Any] = field(default_factory=dict)


def severity_of(gravity: Gravity) -> int:
    """Give the highest severity that any rule asks for; nothing open is never grave."""
    if not gravity.records:
        return min(1, rules_of(gravity.error_class).severity)
    levels = [rules_of(gravity.error_class).severity, DEADLINE_SHARES.get(gravity.share, 0)]
    is_urgent = gravity.urgent >= max(URGENT_FROM, gravity.records * URGENT_SHARE_0_1)
    if is_urgent or gravity.records >= MANY_RECORDS:
        levels.append(2)
    levels += [_of_money(amount, each, gravity) for each, amount in gravity.at_risk.items()]
    return max(levels)


def share_of(began_at: datetime, deadline_at: datetime | None, at: datetime) -> int:
    """Say which share of the time to the deadline has passed: 0, 50, 80 or 100 percent."""
    if deadline_at is None:
        return 0
    whole_s = (deadline_at - began_at).total_seconds()
    passed_s = (at - began_at).total_seconds()
    return max((share for share in DEADLINE_SHARES if passed_s * 100 >= whole_s * share), default=0)


def weight_of(at_risk: Mapping[str, Decimal], records: int, severity: int, share: int) -> Decimal:
    """Give money at risk times urgency; records without money count one each.

    Amounts of several currencies are added as they are: this orders a list, it is no sum.
    """
    worth = sum(at_risk.values(), Decimal(0)) or Decimal(records)
    return worth * URGENCY[severity] * (OVERDUE_URGENCY if share >= 100 else 1)  # noqa: PLR2004 - percent


def _of_money(amount: Decimal, currency: str, gravity: Gravity) -> int:
    notable, severe = _thresholds(currency, gravity.thresholds)
    if amount >= severe:
        return GRAVEST
    return 2 if amount >= notable else 0


def _thresholds(currency: str, agreed: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """Give both amounts, from {"USD": {"notable": "500", "severe": "5000"}} where it was agreed."""
    scale = 100 if currency in _WITHOUT_CENTS else 1
    of_currency = agreed.get(currency)
    named = of_currency if isinstance(of_currency, Mapping) else {}
    return (
        _amount(named.get("notable"), NOTABLE_AMOUNT * scale),
        _amount(named.get("severe"), SEVERE_AMOUNT * scale),
    )


def _amount(text: object, usual: Decimal) -> Decimal:
    try:
        amount = Decimal(str(text)) if text is not None else usual
    except InvalidOperation:
        return usual
    return amount if amount.is_finite() and amount > 0 else usual
