"""Values as the book can hold them, and rows as columns for statements over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

LABEL_MAX = 200
TEXT_MAX = 500
_LARGEST = Decimal(10) ** 13


def bookable(amount: Decimal) -> Decimal | None:
    """Give an amount that the book can hold; one beyond 10^13 is no price and is not summed up."""
    return amount if amount.is_finite() and abs(amount) < _LARGEST else None


def clean(text: str) -> str:
    """Give a text that PostgreSQL can hold."""
    # PostgreSQL text holds neither NUL nor lone surrogates; the original stays in the sealed body.
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def columns(rows: Sequence[tuple[object, ...]]) -> tuple[list[object], ...]:
    """Turn rows, at least one, into their columns."""
    return tuple(list(column) for column in zip(*rows, strict=True))
