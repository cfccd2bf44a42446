"""Ask the target whether it has one record, by the key under which it was sent."""

from __future__ import annotations

from urllib.parse import quote

from connectors.catalog.http.answers import reference_in
from connectors.sdk.connector import Dispatch
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import Found, LookUp, Missing, Unclear
from connectors.sdk.transport import Call, Transport

PLACE = "{key}"
_FOUND, _MISSING = 200, 404


def can_ask(settings: JsonObject) -> bool:
    """Say whether the connection names a path at which one record is found by its key."""
    path = str(settings.get("lookup_path") or "")
    return path.startswith("/") and not path.startswith("//") and PLACE in path


async def ask(dispatch: Dispatch, transport: Transport) -> LookUp:
    """Get the record at `lookup_path`: 200 is there, 404 is not there, all else is unclear.

    Raises NotSent and AnswerLost.
    """
    if not can_ask(dispatch.settings):
        return Unclear("This system cannot be asked.")
    path = str(dispatch.settings["lookup_path"])
    key = dispatch.effect_key
    headers = {"accept": "application/json", "webhook-id": key}
    call = Call(method="GET", path=path.replace(PLACE, quote(key, safe="")), headers=headers)
    answer = await transport.request(call)
    if answer.status == _FOUND:
        return Found(reference_in(answer))
    if answer.status == _MISSING:
        return Missing()
    return Unclear(f"The target answered HTTP {answer.status} when it was asked.")
