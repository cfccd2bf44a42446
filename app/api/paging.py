"""Keyset paging, newest first: a page ends with a cursor that the next request brings back.

Ids rise in the order they were made, so a page never skips or repeats a row while others arrive.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Query

from infra.database.unit import Row
from infra.errors import FieldError, Unprocessable
from infra.ids import Id

LIMIT_MAX = 200
LIMIT_USUAL = 50
_CHECK_BYTES = 4
_ID_BYTES = 16

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="The most rows of one page.")]
CursorText = Annotated[
    str | None,
    Query(
        description="The `next_cursor` of the page before; opaque, and of this list only.",
        max_length=100,
    ),
]

_Row = TypeVar("_Row", bound=Row)


def read_cursor(of_list: str, text: str | None) -> Id | None:
    """Give the id after which a page begins, None for the first page.

    Raises Unprocessable for a cursor that this list never gave.
    """
    if text is None:
        return None
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raw = b""
    place = raw[:_ID_BYTES]
    if len(raw) != _ID_BYTES + _CHECK_BYTES or raw[_ID_BYTES:] != _check(of_list, place):
        words = "This cursor was not given by this list. Start again without a cursor."
        raise Unprocessable(
            words,
            code="cursor.invalid",
            errors=(FieldError("/query/cursor", "cursor.invalid", words),),
        )
    return UUID(bytes=place)


def page_of(of_list: str, rows: Sequence[_Row], limit: int) -> tuple[list[_Row], str | None]:
    """Cut `limit + 1` rows to a page, with the cursor of the next one when there is more."""
    page = list(rows[:limit])
    has_more = len(rows) > limit
    return page, cursor_after(of_list, page[-1]["id"]) if has_more else None


def cursor_after(of_list: str, last: UUID) -> str:
    """Write the cursor of the page that follows this id."""
    # asyncpg's UUIDs are a class of their own with the same bytes.
    place = last.bytes
    return base64.urlsafe_b64encode(place + _check(of_list, place)).decode("ascii")


def _check(of_list: str, place: bytes) -> bytes:
    """Tell cursors of different lists apart; no secret, for row-level security guards the rows."""
    return hashlib.sha256(of_list.encode() + b"|" + place).digest()[:_CHECK_BYTES]
