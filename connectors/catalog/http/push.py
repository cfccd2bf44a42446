"""Send one event as a CloudEvent: signed by the transport, the same bytes and id at every repeat."""

from __future__ import annotations

import msgspec

from connectors.canonical.event import BODIES
from connectors.canonical.parent import parent_of
from connectors.catalog.http.answers import outcome_of
from connectors.sdk.connector import Dispatch
from connectors.sdk.outcome import Outcome, Rejected, RetryLater, Unknown
from connectors.sdk.transport import AnswerLost, Call, NotSent, Transport

_ENCODER = msgspec.json.Encoder(decimal_format="string")
_CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_DEFAULT_SOURCE = "/retail"


async def push(dispatch: Dispatch, transport: Transport) -> Outcome:
    """Post one event to the target's path.

    Repeat: the effect key is the idempotency key, the webhook id and the event id of every attempt,
    so that a target which knows any of the three does nothing twice.
    """
    path = str(dispatch.settings.get("path") or "/")
    if not path.startswith("/") or path.startswith("//") or not path.isprintable():
        words = "The path of this connection must start with one slash. Correct it in its settings."
        return Rejected("settings.invalid", "/settings/path", words)
    call = Call(method="POST", path=path, headers=_headers(dispatch), body=envelope(dispatch))
    try:
        answer = await transport.request(call)
    except NotSent as fault:
        return RetryLater(fault.code, fault.words, fault.after_s)
    except AnswerLost as fault:
        return Unknown(fault.words)
    error_field = str(dispatch.settings.get("error_field") or "")
    words_field = str(dispatch.settings.get("words_field") or "")
    return outcome_of(answer, error_field, parent_of(dispatch.event), words_field)


def envelope(dispatch: Dispatch) -> bytes:
    """Write the event as CloudEvents JSON; nothing in it changes between attempts.

    `objectid` and `objectversion` are extension attributes: what the event is about, and the
    source's version of it, for receivers that keep the latest only.
    """
    event = dispatch.event
    told = {
        "specversion": "1.0",
        "id": dispatch.effect_key,
        "type": event.type,
        "source": str(dispatch.settings.get("source") or _DEFAULT_SOURCE),
        "subject": event.key,
        "time": event.occurred_at,
        "datacontenttype": "application/json",
        "dataschema": BODIES[event.type][1],
        "objectid": event.object_id,
    }
    # CloudEvents allows no empty attribute.
    version = {"objectversion": event.version} if event.version else {}
    return _ENCODER.encode(told | version | {"data": event.body})


def _headers(dispatch: Dispatch) -> dict[str, str]:
    headers = {
        "content-type": _CONTENT_TYPE,
        "accept": "application/json",
        "idempotency-key": dispatch.effect_key,
        "webhook-id": dispatch.effect_key,
    }
    if dispatch.trace_parent:
        headers["traceparent"] = dispatch.trace_parent
    return headers
