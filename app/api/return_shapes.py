"""What returns look like in answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from app.api.shapes import Answer, MoneyShape, money_of
from app.retail.returns.backlog import Backlog
from app.retail.returns.listing import ReturnSummary
from app.retail.returns.read import ReturnView, StepView
from app.retail.returns.terms import Terms


class ReturnShape(Answer):
    """One return: where it stands, whose turn it is, and what it is about in money."""

    id: str
    label: str
    number: str
    kind: str
    order_id: str | None
    status: str = Field(description="`open`, or how it ended.")
    step: str = Field(description="The first step that is not done, R1 to R11.")
    step_title: str
    step_since: datetime
    limit_at: datetime | None = Field(description="Until when this step may be without word.")
    is_stuck: bool
    turn: str = Field(description="Whose turn it is, in words.")
    words: str = Field(description="What it waits for, in words.")
    owed: MoneyShape | None
    refunded: MoneyShape | None
    breaks: list[str] = Field(description="What does not agree and was accepted.")
    agreement: str = Field(
        description="Goods received, refund paid, books reversed, history told: 1 or 0 each."
    )
    agreement_words: str
    opened_at: datetime
    closed_at: datetime | None


class ReturnWorkShape(Answer):
    """One piece of work that was asked of another system; `key` is the same at every attempt."""

    key: str
    words: str
    state: str
    state_words: str
    attempts: int = Field(description="How often it was asked for or looked after.")
    last_words: str
    asked_at: datetime
    ended_at: datetime | None


class ReturnStepShape(Answer):
    """One of the eleven steps."""

    id: str
    title: str
    state: str = Field(description="`waiting`, `open`, `asked`, `done` or `skipped`.")
    state_words: str
    if_it_fails: str
    works: list[ReturnWorkShape]


class ReturnTenderShape(Answer):
    """One tender: what was paid by it in the sale, what went back by it for this return."""

    tender_id: str
    kind: str
    paid: MoneyShape | None
    refunded: MoneyShape | None


class ReturnFactShape(Answer):
    """One thing that was told."""

    key: str
    kind: str
    at: datetime
    told_at: datetime


class ReturnQuestionShape(Answer):
    """What a person is asked; `choices` with what each does."""

    question: str
    subject: str
    words: str
    choices: dict[str, str]
    asked_at: datetime
    deadline_at: datetime


class ReturnDetail(ReturnShape):
    """One return with its steps, money, facts, and what is asked."""

    steps: list[ReturnStepShape]
    tenders: list[ReturnTenderShape]
    facts: list[ReturnFactShape]
    questions: list[ReturnQuestionShape]


class ReturnPage(Answer):
    """Returns, newest first."""

    items: list[ReturnShape]
    next_cursor: str | None


class ReturnBacklogShape(Answer):
    """Open returns of one step, age and currency."""

    step: str
    step_title: str
    age: str
    count: int
    stuck: int
    amount: MoneyShape | None


class ReturnBacklogList(Answer):
    """The backlog, in the order of the steps."""

    items: list[ReturnBacklogShape]


class ReturnTermsShape(Answer):
    """A retailer's terms of returns; amounts as exact text, in its currency."""

    window_days: int
    approve_above: str | None
    refunds_shipping: bool
    restocking_fee: str
    label_fee: str
    goods_wait_days: int
    asks_identity: bool
    points_per_money: str
    elsewhere: list[str]


def return_shape(of: ReturnSummary) -> ReturnShape:
    """Show one return in a list."""
    return ReturnShape(**_summary(of))


def return_detail(of: ReturnView) -> ReturnDetail:
    """Show one return whole."""
    currency = of.summary.currency or None
    return ReturnDetail(
        **_summary(of.summary),
        steps=[_step(each) for each in of.steps],
        tenders=[
            ReturnTenderShape(
                tender_id=each.tender_id,
                kind=each.kind,
                paid=money_of(each.paid, currency),
                refunded=money_of(each.refunded, currency),
            )
            for each in of.money
        ],
        facts=[
            ReturnFactShape(key=each.key, kind=each.kind, at=each.at, told_at=each.told_at)
            for each in of.facts
        ],
        questions=[
            ReturnQuestionShape(
                question=each.question,
                subject=each.subject,
                words=each.words,
                choices=each.choices,
                asked_at=each.asked_at,
                deadline_at=each.deadline_at,
            )
            for each in of.asked
        ],
    )


def backlog_shape(of: Backlog) -> ReturnBacklogShape:
    """Show one field of the backlog."""
    return ReturnBacklogShape(
        step=of.step,
        step_title=of.step_title,
        age=of.age,
        count=of.count,
        stuck=of.stuck,
        amount=money_of(of.amount, of.currency or None),
    )


def terms_shape(of: Terms) -> ReturnTermsShape:
    """Show a retailer's terms."""
    policy = of.policy
    return ReturnTermsShape(
        window_days=policy.window_days,
        approve_above=None if policy.approve_above is None else f"{policy.approve_above:f}",
        refunds_shipping=policy.refunds_shipping,
        restocking_fee=f"{policy.restocking_fee:f}",
        label_fee=f"{policy.label_fee:f}",
        goods_wait_days=policy.goods_wait_days,
        asks_identity=policy.asks_identity,
        points_per_money=f"{policy.points_per_money:f}",
        elsewhere=sorted(of.elsewhere),
    )


def _summary(of: ReturnSummary) -> dict[str, Any]:
    currency = of.currency or None
    return {
        "id": str(of.id),
        "label": of.label,
        "number": of.number,
        "kind": of.kind,
        "order_id": of.order_id or None,
        "status": of.status,
        "step": of.step,
        "step_title": of.step_title,
        "step_since": of.step_since,
        "limit_at": of.limit_at,
        "is_stuck": of.is_stuck,
        "turn": of.who,
        "words": of.words,
        "owed": money_of(of.owed, currency),
        "refunded": money_of(of.refunded, currency),
        "breaks": list(of.breaks),
        "agreement": of.agreement,
        "agreement_words": of.agreement_words,
        "opened_at": of.opened_at,
        "closed_at": of.closed_at,
    }


def _step(of: StepView) -> ReturnStepShape:
    works = [
        ReturnWorkShape(
            key=each.key,
            words=each.words,
            state=each.state,
            state_words=each.state_words,
            attempts=each.attempts,
            last_words=each.last_words,
            asked_at=each.asked_at,
            ended_at=each.ended_at,
        )
        for each in of.works
    ]
    return ReturnStepShape(
        id=of.id,
        title=of.title,
        state=of.state,
        state_words=of.state_words,
        if_it_fails=of.if_it_fails,
        works=works,
    )
