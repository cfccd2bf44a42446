"""How exceptions and the work on them are answered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import Field

from app.api.shapes import (
    Answer,
    MoneyShape,
    PositionShape,
    id_or_none,
    money_of,
    position_of,
)
from app.exceptions.difference import Change
from app.exceptions.edit import Edited
from app.exceptions.hold import Hold, HoldState
from app.exceptions.work.bulk import BulkResult
from app.exceptions.work.remarks import Remark
from app.exceptions.work.selection import BulkPreview

_SAME = (
    *("code", "pointer", "words", "label", "state", "owner", "due_at", "reason"),
    *("decided_by", "decided_at", "created_at", "error_class", "event_type", "object_id"),
    *("deadline_at", "recheck_at"),
)


class ExceptionShape(Answer):
    """One record that waits, or waited, for a person."""

    id: str
    message_id: str
    delivery_id: str | None = Field(
        description="The delivery that one target refused; null when the message cannot be read."
    )
    connection_id: str = Field(description="The source of a message, the target of a delivery.")
    flow_id: str | None
    incident_id: str | None = Field(
        description="The incident that it belongs to, once it is known."
    )
    code: str = Field(description="Why, as `area.reason`.")
    error_class: str = Field(description="The kind of trouble; empty when it is not known.")
    pointer: str = Field(description="The field at fault.")
    words: str = Field(description="Why, in plain words, with the way out.")
    label: str = Field(description="What people call it.")
    event_type: str = Field(description="What happened; empty when the message cannot be read.")
    object_id: str = Field(description="The source's id of the object.")
    position: PositionShape | None
    at_stake: MoneyShape | None = Field(description="The money in the record.")
    state: HoldState
    owner: str = Field(description="Who has it; empty is nobody.")
    due_at: datetime | None = Field(description="Until when it is to be done.")
    deadline_at: datetime | None = Field(description="When waiting begins to cost more than work.")
    recheck_at: datetime | None = Field(
        description="When the target is asked next whether it has it by now."
    )
    tags: list[str]
    reason: str = Field(description="Why it was decided so.")
    decided_by: str
    decided_at: datetime | None
    created_at: datetime


class ExceptionPage(Answer):
    """Exceptions in the order that was asked for."""

    items: list[ExceptionShape]
    next_cursor: str | None = Field(description="Brings the next page; null on the last one.")


class ChangeShape(Answer):
    """One place that an edit changed; null where it is missing."""

    pointer: str = Field(description="JSON pointer, or `/line/n` of a text.")
    before: str | None
    after: str | None


class EditedShape(Answer):
    """The exception after an edit, and what the edit changed (at most 200 places)."""

    exception: ExceptionShape
    is_preview: bool = Field(description="Whether nothing was written.")
    changes: list[ChangeShape]


class RemarkShape(Answer):
    """What somebody said about an exception."""

    id: str
    at: datetime
    author: str
    words: str


class RemarkList(Answer):
    """The newest 500 remarks, oldest first."""

    items: list[RemarkShape]


class RefusedShape(Answer):
    """One record that an act was not done to, and why."""

    id: str
    code: str


class BulkPreviewShape(Answer):
    """What the act would do as of now; nothing was changed."""

    would_do: int
    money: list[MoneyShape] = Field(
        description="In the records that would be decided, by currency."
    )
    refused: dict[str, int] = Field(description="How many would be refused, by code.")
    left: int = Field(description="How many more there are than one call takes.")


class BulkResultShape(Answer):
    """What the act did. Done is done, also when the call ended early."""

    bulk_id: str = Field(description="Stands in each line of the audit log that it wrote.")
    done: list[str]
    refused: list[RefusedShape]
    left: int
    resume_after: str | None = Field(description="Give it as `after` to go on with what is left.")
    words: str = Field(description="Why it ended early; empty when it did not.")


class BulkAnswer(Answer):
    """Either a preview or a result."""

    preview: BulkPreviewShape | None = None
    result: BulkResultShape | None = None


def exception_of(hold: Hold) -> ExceptionShape:
    """Say one exception."""
    same: dict[str, Any] = {name: getattr(hold, name) for name in _SAME}
    return ExceptionShape(
        **same,
        id=str(hold.id),
        message_id=str(hold.message_id),
        delivery_id=id_or_none(hold.delivery_id),
        connection_id=str(hold.connection_id),
        flow_id=id_or_none(hold.flow_id),
        incident_id=id_or_none(hold.incident_id),
        position=position_of(hold.position),
        at_stake=money_of(hold.amount, hold.currency),
        tags=list(hold.tags),
    )


def edited_of(edited: Edited, *, is_preview: bool) -> EditedShape:
    """Say what an edit did, or would do."""
    return EditedShape(
        exception=exception_of(edited.hold),
        is_preview=is_preview,
        changes=changes_of(edited.changes),
    )


def changes_of(changes: Iterable[Change]) -> list[ChangeShape]:
    """Say what differs."""
    return [ChangeShape(pointer=c.pointer, before=c.before, after=c.after) for c in changes]


def remarks_of(remarks: Iterable[Remark]) -> RemarkList:
    """Say remarks."""
    return RemarkList(
        items=[
            RemarkShape(id=str(each.id), at=each.at, author=each.author, words=each.words)
            for each in remarks
        ]
    )


def preview_of(preview: BulkPreview) -> BulkAnswer:
    """Say what an act on many would do."""
    money = (money_of(amount, currency) for currency, amount in sorted(preview.money.items()))
    return BulkAnswer(
        preview=BulkPreviewShape(
            would_do=preview.would_do,
            money=[each for each in money if each is not None],
            refused=dict(preview.refused),
            left=preview.left,
        )
    )


def result_of(result: BulkResult) -> BulkAnswer:
    """Say what an act on many did."""
    return BulkAnswer(
        result=BulkResultShape(
            bulk_id=str(result.bulk_id),
            done=[str(each) for each in result.done],
            refused=[RefusedShape(id=str(each), code=code) for each, code in result.refused],
            left=result.left,
            resume_after=id_or_none(result.resume_after),
            words=result.words,
        )
    )
