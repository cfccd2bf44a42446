"""What a decision about one exception is sent as."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.api.shapes import Request

CLEAN = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"

Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=CLEAN)
]


class ReleaseRequest(Request):
    """Let an exception go on unchanged."""

    reason: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=500, pattern=CLEAN)
    ] = Field(default="", description="Why; stands in the audit log.")


class DiscardRequest(Request):
    """Give an exception up."""

    reason: Reason = Field(description="Why; stands in the audit log.")


class EditRequest(Request):
    """Correct an exception: exactly one of `body`, `body_base64` and `event`."""

    reason: Reason = Field(description="Why; stands in the audit log.")
    body: str | None = Field(
        default=None, description="New raw body of a message, written as UTF-8."
    )
    body_base64: str | None = Field(
        default=None, description="New raw body of a message in any code page, as base64."
    )
    event: dict[str, Any] | None = Field(
        default=None,
        description="New content of an event as `GET /v1/events/{event_id}` shows it: `head` and"
        " `body`. `type`, `key` and `object_id` of the head must stay.",
    )

    preview: bool = Field(
        default=False, description="Only check it and say what would change; nothing is written."
    )

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        given = (self.body, self.body_base64, self.event)
        if sum(each is not None for each in given) != 1:
            raise PydanticCustomError(
                "edit.one_content", "Give exactly one of `body`, `body_base64` and `event`."
            )
        if self.body_base64 is not None and _decoded(self.body_base64) is None:
            raise PydanticCustomError("edit.base64_broken", "`body_base64` is not base64.")
        return self

    @property
    def content(self) -> bytes | None:
        """Give the new raw body, None when an event was given."""
        if self.body is not None:
            return self.body.encode()
        return None if self.body_base64 is None else _decoded(self.body_base64)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None
