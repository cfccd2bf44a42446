"""Identifiers: UUIDv7, ordered by the millisecond in which they were made; opaque strings outside."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import uuid_utils

Id = UUID


def new_id() -> Id:
    """Make a new UUIDv7; ids of one process rise in the order they were made."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def lowest_id_at(moment: datetime) -> Id:
    """Give the smallest UUIDv7 that could have been made at `moment` (aware), for range bounds."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80)


def parse_id(text: str) -> Id | None:
    """Read an id from outside; None when it is not one, so that bad and foreign ids look alike."""
    try:
        return UUID(text)
    except (ValueError, AttributeError):
        return None
