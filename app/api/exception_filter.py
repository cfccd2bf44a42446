"""Which exceptions a list or an act on many is about, as it is asked from outside."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.exceptions.hold import HoldFilter, HoldSort, HoldState
from infra import clock
from infra.ids import Id

_WORD = r"^[A-Za-z0-9._-]{1,100}$"
_CLEAN = r"^[^\x00-\x1f\x7f]*$"
OLDEST_H = 24 * 365 * 10

ME, NOBODY = "me", "nobody"


class FilterFields(BaseModel):
    """All conditions together; one that is left out lets all pass."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: HoldState | Literal["any"] = "open"
    code: Annotated[str, Field(pattern=_WORD)] | None = None
    error_class: Annotated[str, Field(pattern=_WORD)] | None = None
    connection: UUID | None = Field(default=None, description="Id of the connection.")
    flow: UUID | None = Field(default=None, description="Id of the flow.")
    incident: UUID | None = Field(default=None, description="Id of the incident.")
    owner: Annotated[str, Field(max_length=200, pattern=_CLEAN)] | None = Field(
        default=None, description="Who has it; `me` is whose key this is, `nobody` is without one."
    )
    tag: Annotated[str, Field(pattern=_WORD)] | None = None
    event_type: Annotated[str, Field(pattern=_WORD)] | None = None
    min_amount: Annotated[Decimal, Field(max_digits=19, decimal_places=6)] | None = Field(
        default=None, description="The least money in it, in its own currency."
    )
    older_than_h: Annotated[float, Field(ge=0, le=OLDEST_H)] | None = Field(
        default=None, description="Waiting for longer than this many hours."
    )
    text: Annotated[str, Field(min_length=1, max_length=100, pattern=_CLEAN)] | None = Field(
        default=None, description="Part of what people call it, in any case of letters."
    )
    sort: HoldSort = Field(
        default="newest",
        description="`newest` or `age` (oldest first), `money` (most first), `deadline` (next first).",
    )

    def hold_filter(self, actor: str, *, before: Id | None = None) -> HoldFilter:
        """Give the filter as the book is asked; `actor` is who `me` is."""
        owner = {ME: actor, NOBODY: ""}.get(self.owner, self.owner) if self.owner else None
        created_before = (
            None if self.older_than_h is None else clock.now() - timedelta(hours=self.older_than_h)
        )
        return HoldFilter(
            state=None if self.state == "any" else self.state,
            code=self.code,
            connection_id=self.connection,
            before=before,
            error_class=self.error_class,
            flow_id=self.flow,
            incident_id=self.incident,
            owner=owner,
            tag=self.tag,
            event_type=self.event_type,
            min_amount=self.min_amount,
            created_before=created_before,
            text=self.text,
            sort=self.sort,
        )


class FilterRequest(FilterFields):
    """The conditions in a body, where a field that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
