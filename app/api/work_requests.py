"""What work on exceptions is sent as: who has it, remarks, tags, acts on many."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.api.decisions import CLEAN
from app.api.exception_filter import ME, NOBODY, FilterRequest
from app.api.shapes import Moment, Request
from app.exceptions.work.assign import MOST_TAGS, Assignment, Tagging
from app.exceptions.work.bulk import BulkAct, Decide
from app.exceptions.work.remarks import WORDS_MAX
from app.exceptions.work.selection import MOST_AT_ONCE, Selection

Owner = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=CLEAN)
]
Tags = Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=MOST_TAGS)]
_REASON_MIN = 3


def owner_of(owner: str, actor: str) -> str:
    """Read an owner: `me` is who calls, `nobody` is empty."""
    return {ME: actor, NOBODY: ""}.get(owner, owner)


class AssignRequest(Request):
    """Give an exception to somebody."""

    owner: Owner = Field(description="Who has it now; `me` is whose key this is, or `nobody`.")
    due_at: Moment | None = Field(default=None, description="Until when it is to be done.")


class CommentRequest(Request):
    """Say something about an exception."""

    words: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=WORDS_MAX, pattern=r"^[^\x00]*$"
        ),
    ]


class TagRequest(Request):
    """Give tags to an exception, or take them away."""

    add: Tags = Field(default_factory=list)
    remove: Tags = Field(default_factory=list)


class BulkRequest(Request):
    """One act on many exceptions: named by `ids`, or all that `filter` finds."""

    act: Literal["release", "discard", "assign", "tag"]
    ids: Annotated[list[UUID], Field(max_length=MOST_AT_ONCE)] | None = None
    filter: FilterRequest | None = None
    after: UUID | None = Field(
        default=None, description="The `resume_after` of the call before; goes on behind it."
    )
    reason: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=500, pattern=CLEAN)
    ] = Field(default="", description="Why; needed to discard.")
    owner: Owner | None = Field(default=None, description="Needed to assign.")
    due_at: Moment | None = None
    add: Tags = Field(default_factory=list)
    remove: Tags = Field(default_factory=list)
    preview: bool = Field(default=False, description="Only say what it would do.")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise PydanticCustomError("bulk.selection", "Give either `ids` or `filter`.")
        if self.act == "discard" and len(self.reason) < _REASON_MIN:
            raise PydanticCustomError("bulk.reason", "Say in `reason` why they are discarded.")
        if self.act == "assign" and self.owner is None:
            raise PydanticCustomError("bulk.owner", "Name the `owner`.")
        if self.act == "tag" and not (self.add or self.remove):
            raise PydanticCustomError("bulk.tags", "Name tags in `add` or `remove`.")
        return self

    @property
    def decides(self) -> bool:
        """Say whether the act ends the waiting of records."""
        return self.act in ("release", "discard")

    def selection(self, actor: str) -> Selection:
        """Give the selection as the book is asked."""
        ids = None if self.ids is None else tuple(self.ids)
        wanted = None if self.filter is None else self.filter.hold_filter(actor)
        return Selection(ids, wanted, self.after)

    def bulk_act(self, actor: str) -> BulkAct:
        """Give the act."""
        if self.act == "assign":
            return Assignment(owner_of(self.owner or "", actor), self.due_at)
        if self.act == "tag":
            return Tagging(tuple(self.add), tuple(self.remove))
        return Decide(self.act, self.reason)
