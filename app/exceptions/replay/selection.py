"""Which records a replay is about: typed, and stored as JSON with the replay."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

MOST_RECORDS = 100_000
# A request body ends at about a megabyte; more records than this are chosen by what they share.
MOST_NAMED = 20_000

RecordState = Literal[
    "ready", "waiting", "checking", "held", "delivered", "superseded", "discarded", "cancelled"
]
Kind = Literal["records", "incident", "outage", "filter"]
_Code = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._-]+$")]

_USUAL_STATES: tuple[RecordState, ...] = ("held", "waiting", "checking")


class Selection(BaseModel):
    """Records by their ids, by an incident, by an outage of a connection, or by what they share.

    `holds` are exceptions, `deliveries` deliveries. An outage means what was accepted for its
    connection, or failed there, from its beginning to its end. All other fields filter: `states` are
    those of deliveries (held, waiting and checking unless told), `connection` is the target (of a
    message that cannot be read: the source), `since` and `until` bound when a record was accepted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    holds: tuple[UUID, ...] = Field(default=(), max_length=MOST_NAMED)
    deliveries: tuple[UUID, ...] = Field(default=(), max_length=MOST_NAMED)
    incident: UUID | None = None
    outage: UUID | None = None
    states: tuple[RecordState, ...] = Field(default=_USUAL_STATES, min_length=1, max_length=8)
    code: _Code | None = None
    error_class: _Code | None = None
    connection: UUID | None = None
    flow: UUID | None = None
    event_type: _Code | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> Self:
        if len(self._ways()) != 1:
            raise PydanticCustomError(
                "selection.one_way",
                "Choose in one way: `holds` and `deliveries`, or `incident`, or `outage`, or a filter"
                " with at least one of `code`, `error_class`, `connection`, `flow`, `event_type` and"
                " `since`.",
            )
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise PydanticCustomError("selection.empty_window", "`since` must be before `until`.")
        return self

    @property
    def kind(self) -> Kind:
        """Name the way in which records are chosen."""
        return self._ways()[0]

    def _ways(self) -> list[Kind]:
        filters = (
            *(self.code, self.error_class, self.connection, self.flow, self.event_type),
            *(self.since, self.until),
        )
        ways: list[tuple[Kind, bool]] = [
            ("records", bool(self.holds or self.deliveries)),
            ("incident", self.incident is not None),
            ("outage", self.outage is not None),
            ("filter", any(each is not None for each in filters)),
        ]
        return [kind for kind, is_used in ways if is_used]

    def words(self) -> str:
        """Say the selection in a few words, as a title."""
        told = {
            "records": f"{len(self.holds) + len(self.deliveries)} chosen records",
            "incident": "the records of an incident",
            "outage": "the records of an outage",
            "filter": f"records {self._filter_words()}",
        }
        return told[self.kind]

    def _filter_words(self) -> str:
        named = (("with", self.code), ("of class", self.error_class), ("of", self.event_type))
        parts = [f"{word} {value}" for word, value in named if value]
        parts += [
            f"{word} {_minute(value)}"
            for word, value in (("since", self.since), ("until", self.until))
            if value
        ]
        return " ".join(parts) or "of a connection or flow"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
