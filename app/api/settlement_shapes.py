"""Settlements as they are answered: steps, agreement, differences, the exact journal."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from app.api.break_shapes import BreakShape, break_shape
from app.api.journal_shapes import JournalDetail, journal_detail
from app.api.shapes import Answer, MoneyShape, money_of
from app.retail.breaks import Break
from app.retail.journals.ends import PostedJournal
from app.retail.settlements.read import SettlementHead, SettlementPage


class SettlementShape(Answer):
    """One settlement as it was told."""

    id: str
    channel: str
    settlement: str = Field(description="The channel's own number.")
    account: str
    period_start: datetime
    period_end: datetime
    deposited_on: date | None
    payout: MoneyShape | None
    unexplained: MoneyShape | None
    taken_at: datetime


class StepShape(Answer):
    """One step from nothing to the payout."""

    name: str
    lines: int
    amount: MoneyShape | None


class AgreementShape(Answer):
    """How much of the settlement agrees with what was sold, by order; amounts without sign."""

    lines: int
    orders: int
    orders_agreed: int
    lines_agreed: int
    amount: MoneyShape | None
    amount_agreed: MoneyShape | None
    unexplained_bp: str = Field(description="What is unexplained, in basis points of gross sales.")


class SettlementDetail(SettlementShape):
    """All that finance needs of one settlement."""

    waterfall: list[StepShape]
    agreement: AgreementShape
    breaks: list[BreakShape]
    journals: list[JournalDetail]


class SettlementPageShape(Answer):
    """Settlements, the last taken first."""

    items: list[SettlementShape]
    next_cursor: str | None


def settlement_shape(head: SettlementHead) -> SettlementShape:
    """Say a settlement."""
    return SettlementShape(**_settlement_facts(head))


def settlement_detail(
    page: SettlementPage, breaks: list[Break], journals: list[PostedJournal]
) -> SettlementDetail:
    """Say a settlement with its steps, its differences and its journals."""
    agreement, currency = page.agreement, page.head.currency
    return SettlementDetail(
        **_settlement_facts(page.head),
        waterfall=[
            StepShape(name=each.name, lines=each.lines, amount=money_of(each.amount, currency))
            for each in page.waterfall
        ],
        agreement=AgreementShape(
            lines=agreement.lines,
            orders=agreement.orders,
            orders_agreed=agreement.orders_agreed,
            lines_agreed=agreement.lines_agreed,
            amount=money_of(agreement.amount, currency),
            amount_agreed=money_of(agreement.amount_agreed, currency),
            unexplained_bp=f"{page.unexplained_bp:f}",
        ),
        breaks=[break_shape(each) for each in breaks],
        journals=[journal_detail(each) for each in journals],
    )


def _settlement_facts(head: SettlementHead) -> dict[str, Any]:
    return {
        "id": str(head.id),
        "channel": head.channel,
        "settlement": head.external_id,
        "account": head.account,
        "period_start": head.period_start,
        "period_end": head.period_end,
        "deposited_on": head.deposited_on,
        "payout": money_of(head.payout, head.currency),
        "unexplained": money_of(head.unexplained, head.currency),
        "taken_at": head.taken_at,
    }
