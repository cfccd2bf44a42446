"""When a second person must approve a replay: many records, much money, or money that goes out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.exceptions.replay.effects import moves_money
from app.exceptions.replay.promise import ACTS
from infra.database.unit import Session

MOST_RECORDS_ALONE = 1_000
MOST_MONEY_ALONE = Decimal(50_000)
# What is moved: telling a target again what it has moves nothing.
_MOVES = ("create", "update", "read_again")


@dataclass(frozen=True, slots=True)
class Limits:
    """Up to how many records, and how much money, one person may replay alone.

    The amount is in the retailer's currency; money in any other is held against the same number,
    because no rate is known here.
    """

    records: int = MOST_RECORDS_ALONE
    amount: Decimal = MOST_MONEY_ALONE


async def read_limits(session: Session, tenant_id: UUID) -> Limits:
    """Give a retailer's limits: what its plan says under `replay`, else the usual ones."""
    text = await session.fetch_value("select entitlements from tenant where id = $1", tenant_id)
    told = json.loads(text or "{}", parse_float=Decimal).get("replay") or {}
    return Limits(
        int(told.get("records", MOST_RECORDS_ALONE)),
        Decimal(str(told.get("amount", MOST_MONEY_ALONE))),
    )


def why_approval(preview: dict[str, Any], limits: Limits) -> str:
    """Say why a second person must approve; empty when one person is enough."""
    by = preview["by"]
    records = sum(by[name]["records"] for name in ACTS if name in by)
    reasons = []
    if records > limits.records:
        reasons.append(f"{records:,} records are more than the {limits.records:,} one person may.")
    for currency, amount in sorted(_money(by).items()):
        if amount > limits.amount:
            reasons.append(
                f"{amount:,.2f} {currency} is more than the {limits.amount:,.2f} one person may."
            )
    outgoing = [words for words in preview["effects"] if moves_money(words)]
    if outgoing:
        reasons.append(f"It moves money: {', '.join(outgoing)}.")
    return " ".join(reasons)


def _money(by: dict[str, Any]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for name in _MOVES:
        for currency, amount in by.get(name, {}).get("amounts", {}).items():
            total[currency] = total.get(currency, Decimal(0)) + Decimal(amount)
    return total
