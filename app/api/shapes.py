"""Shapes that several answers share: money, places in files, ids, moments."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from infra.errors import NotFound
from infra.ids import Id, parse_id

# Far enough for any book, near enough that no calendar arithmetic can overflow.
_FIRST_YEAR, _LAST_YEAR = 2000, 2200


class Answer(BaseModel):
    """An answer of the API."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Request(BaseModel):
    """A request body; a field that is not known is refused, so that a typing error shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MoneyShape(Answer):
    """An exact amount, as text so that no reader rounds it."""

    amount: str = Field(description="The exact decimal amount.", examples=["12.34"])
    currency: str = Field(description="ISO 4217 code.", examples=["USD"])


class PositionShape(Answer):
    """Where a record stood in its file."""

    file: str
    record: int = Field(description="Number of the record, from 1.")
    line: int = Field(description="Number of the line, from 1.")
    byte: int = Field(description="Offset of its first byte, from 0.")


def money_of(amount: Decimal | None, currency: str | None) -> MoneyShape | None:
    """Say money as it is answered: no exponent, no zeros that only the column's scale added."""
    if amount is None or currency is None:
        return None
    plain = f"{amount:f}"
    whole, _, fraction = plain.partition(".")
    kept = fraction.rstrip("0").ljust(2, "0") if fraction else ""
    return MoneyShape(amount=f"{whole}.{kept}" if kept else whole, currency=currency)


def position_of(text: str | None) -> PositionShape | None:
    """Read a stored position."""
    found: dict[str, Any] | None = json.loads(text) if text else None
    return PositionShape(**found) if found else None


def id_or_none(value: object) -> str | None:
    """Say an id that may be missing."""
    return None if value is None else str(value)


def known_id(text: str) -> Id:
    """Read the id of a path; what is no id is missing like any other."""
    parsed = parse_id(text)
    if parsed is None:
        raise NotFound
    return parsed


def _plausible(moment: datetime) -> datetime:
    if not _FIRST_YEAR <= moment.year < _LAST_YEAR:
        raise PydanticCustomError(
            "time.out_of_range", "Must be a moment between the years 2000 and 2200."
        )
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
