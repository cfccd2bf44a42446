"""What replays look like in answers, and what is sent to ask for one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from app.api.decisions import Reason
from app.api.shapes import Answer, MoneyShape, Request, id_or_none, money_of
from app.exceptions.replay.promise import Mapping
from app.exceptions.replay.read import Replay, ReplayItem, ReplayState
from app.exceptions.replay.receipt import is_as_promised
from app.exceptions.replay.selection import Selection

PromiseName = Literal["create", "update", "no_op", "stale", "conflict", "read_again"]


class ReplayRequest(Request):
    """Ask for a replay; it is only previewed until somebody starts it."""

    selection: Selection
    mapping: Mapping = Field(
        default="now",
        description="Under which mapping: the present one, or `as_then`, the one of the last attempt.",
    )
    reason: Reason = Field(description="Why; stands in the audit log, line by line.")


class ReplayTotalShape(Answer):
    """How many records, and how much money in them."""

    kind: str = Field(
        description="The promise, or what happened: also `held` again, `discarded` or `cancelled` by"
        " a person, `partly`, or `left_out`."
    )
    records: int
    amounts: list[MoneyShape] = Field(description="The sum of each currency.")


class ReplayEffectShape(Answer):
    """What the records set off where they arrive."""

    effect: str
    records: int


class ReplayReceiptShape(Answer):
    """What happened, beside what was promised."""

    totals: list[ReplayTotalShape]
    equal: int = Field(description="Records to which just what was promised happened.")
    of: int = Field(description="Records that were brought.")


class ReplayShape(Answer):
    """One replay."""

    id: str
    title: str
    state: ReplayState
    words: str = Field(
        description="Why it was refused, or why a second person must approve; empty otherwise."
    )
    selection: dict[str, Any] = Field(description="As it was sent, completed.")
    mapping: str
    reason: str
    needs_approval: bool
    records: int = Field(description="Records chosen; 0 until they are counted.")
    previewed: int = Field(description="Of these, looked at so far.")
    promised: list[ReplayTotalShape] = Field(description="The preview; empty until it is ready.")
    effects: list[ReplayEffectShape]
    chosen: int = Field(description="Records that are brought when it runs: all but conflicts.")
    started: int = Field(description="Of these, begun.")
    finished: int = Field(description="Of these, known to their end.")
    receipt: ReplayReceiptShape | None = Field(description="Null until it is over.")
    created_by: str
    created_at: datetime
    previewed_at: datetime | None
    started_by: str
    started_at: datetime | None
    approved_by: str
    approved_at: datetime | None
    finished_at: datetime | None


class ReplayPage(Answer):
    """Replays, newest first."""

    items: list[ReplayShape]
    next_cursor: str | None = Field(description="Brings the next page; null on the last one.")


class ReplayItemShape(Answer):
    """One record: what is promised for it, and what happened to it."""

    number: int = Field(description="From 1, in the order of acceptance.")
    label: str
    amount: MoneyShape | None
    promised: str = Field(description="Empty until it was looked at.")
    promised_words: str
    effects: list[str]
    deliveries: int = Field(description="To how many targets it is promised to go.")
    state: Literal["waiting", "started", "left_out", "done"]
    happened: str = Field(description="Empty until its end is known.")
    happened_words: str
    is_as_promised: bool | None = Field(description="Null until its end is known, or left out.")
    exception_id: str | None
    message_id: str
    delivery_id: str | None = Field(description="The delivery as it was chosen.")
    new_delivery_id: str | None = Field(description="The one that brings it; may be the same.")


class ReplayItemPage(Answer):
    """Records of a replay, in the order of acceptance."""

    items: list[ReplayItemShape]
    next_cursor: str | None = Field(description="Brings the next page; null on the last one.")


class ReplayReceiptPage(Answer):
    """The whole receipt."""

    replay: ReplayShape
    items: list[ReplayItemShape]


def replay_shape(replay: Replay) -> ReplayShape:
    """Show a replay."""
    receipt = replay.receipt
    return ReplayShape(
        **{name: getattr(replay, name) for name in _SAME},
        id=str(replay.id),
        promised=_totals(replay.preview),
        effects=[
            ReplayEffectShape(effect=words, records=count)
            for words, count in replay.preview.get("effects", {}).items()
        ],
        receipt=ReplayReceiptShape(
            totals=_totals(receipt), equal=receipt["equal"], of=receipt["of"]
        )
        if receipt
        else None,
    )


def item_shape(item: ReplayItem) -> ReplayItemShape:
    """Show one record of a replay."""
    same: dict[str, Any] = {
        name: getattr(item, name)
        for name in (
            *("number", "label", "promised", "promised_words", "effects", "deliveries", "state"),
            *("happened", "happened_words"),
        )
    }
    return ReplayItemShape(
        **same,
        amount=money_of(item.amount, item.currency),
        is_as_promised=is_as_promised(item),
        exception_id=id_or_none(item.hold_id),
        message_id=str(item.message_id),
        delivery_id=id_or_none(item.delivery_id),
        new_delivery_id=id_or_none(item.new_delivery_id),
    )


_SAME = (
    *("title", "state", "words", "selection", "mapping", "reason", "needs_approval", "records"),
    *("previewed", "chosen", "started", "finished", "created_by", "created_at", "previewed_at"),
    *("started_by", "started_at", "approved_by", "approved_at", "finished_at"),
)


def _totals(told: dict[str, Any]) -> list[ReplayTotalShape]:
    return [
        ReplayTotalShape(
            kind=kind,
            records=each["records"],
            amounts=[
                shape
                for currency, amount in sorted(each["amounts"].items())
                if (shape := money_of(Decimal(amount), currency))
            ],
        )
        for kind, each in sorted(told.get("by", {}).items())
    ]
