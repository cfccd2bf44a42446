"""Several workers at one document: what another one changed or removed meanwhile."""

from __future__ import annotations

from connectors.catalog.tryton.api import Fields, Tryton
from connectors.catalog.tryton.stopped import Stopped
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import RetryLater


def contended() -> Stopped:
    """Say that another worker is at the same document; the next attempt goes on from its result."""
    return Stopped(
        RetryLater("target.contended", "Another worker is at the same document in Tryton.")
    )


async def reread(tryton: Tryton, model: str, row_id: int, fields: Fields) -> JsonObject:
    """Read a record again after a refusal; Stopped when another worker removed it."""
    rows = await tryton.search(model, [["id", "=", row_id]], fields, limit=1)
    if not rows:
        raise contended()
    return rows[0]
