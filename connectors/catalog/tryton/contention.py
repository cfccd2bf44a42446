"""Several workers at one document: what another one changed or removed meanwhile."""

from __future__ import annotations

from connectors.catalog.tryton.api import Domain, Fields, Tryton
from connectors.catalog.tryton.stopped import Gone, Refused, Stopped
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import RetryLater

# Source: trytond 8.2 ir/message.xml `msg_read_error`.
_VANISHED = "that don't exist"


def contended() -> Stopped:
    """Say that another worker is at the same document; the next attempt goes on from its result."""
    return Stopped(
        RetryLater("target.contended", "Another worker is at the same document in Tryton.")
    )


async def search(
    tryton: Tryton, model: str, domain: Domain, fields: Fields, limit: int
) -> list[JsonObject]:
    """Search; Stopped as contended when a record vanished between Tryton's search and its reading.

    A search names no record itself, so one that does not exist was there a moment ago.
    """
    try:
        return await tryton.search(model, domain, fields, limit=limit)
    except Refused as refused:
        raise contended() if _VANISHED in refused.words else refused from refused


async def reread(tryton: Tryton, model: str, row_id: int, fields: Fields) -> JsonObject:
    """Read a record again after a refusal; Stopped when another worker removed it."""
    rows = await search(tryton, model, [["id", "=", row_id]], fields, 1)
    if not rows:
        raise contended()
    return rows[0]


async def act(
    tryton: Tryton, model: str, row: JsonObject, action: str, fields: Fields
) -> JsonObject:
    """Press a button of a record that was seen; a refusal stands only if nobody changed it since."""
    try:
        return await tryton.act(model, row["id"], action, fields)
    except Refused as refused:
        raise await _meaning(tryton, model, row, refused) from refused


async def remove(tryton: Tryton, model: str, row: JsonObject) -> None:
    """Delete a record as it was seen; contended when another worker took it a step further.

    Tryton's words do not tell a record that has gone from one that may not be deleted, for it
    answers both as a broken rule: the record itself tells.
    """
    try:
        await tryton.delete(model, row["id"])
    except Gone:
        return  # another worker removed the same one
    except Refused as refused:
        raise await _meaning(tryton, model, row, refused) from refused


async def _meaning(tryton: Tryton, model: str, row: JsonObject, refused: Refused) -> Stopped:
    now = await reread(tryton, model, row["id"], ("state",))
    return refused if now["state"] == row["state"] else contended()
