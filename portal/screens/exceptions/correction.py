"""Read a corrected content as a person typed it."""

from __future__ import annotations

from app.exceptions.content import Edit
from app.exceptions.hold import read_hold
from infra.errors import Unprocessable
from infra.ids import Id
from infra.strict_json import StrictJsonError, read_object
from portal.door.desk import Desk


async def correction(desk: Desk, hold_id: Id, content: str, reason: str) -> Edit:
    """Give the edit: a new event for a refused delivery, a new raw body for an unreadable message."""
    hold = await read_hold(desk.scope, desk.parts.database, hold_id)
    # Browsers send line ends as CR LF, whatever they were.
    typed = content.replace("\r\n", "\n")
    if hold.delivery_id is None:
        return Edit(reason, body=typed.encode())
    try:
        event = read_object(typed.encode())
    except StrictJsonError as fault:
        raise Unprocessable(f"The content is no JSON: {fault}", code="portal.not_json") from None
    return Edit(reason, event=event)
