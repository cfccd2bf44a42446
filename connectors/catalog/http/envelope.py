"""Which event a message is: a CloudEvents envelope around our object, or the bare object.

Source: CloudEvents 1.0.2, https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.canonical.event import BODIES
from connectors.sdk.message import HoldRecord, JsonObject, RawMessage
from connectors.sdk.payload import Part, identifier_or, moment_or_none, part, text_or

TYPE_FIELD = "/type"
_SHOWN_CHARACTERS = 64
_VERSIONED = re.compile(r"(.+)\.v[0-9]{1,4}", re.ASCII)
_CONTRACT = re.compile(r"(?:.*/)?([a-z_]+)/([0-9]{1,4})\.[0-9]{1,4}\.[0-9]{1,4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Told:
    """An event type we know, the object it carries, and what its envelope says of it.

    `version` is the sender's version marker of the object, else the id of the event. `told_at` is
    when it happened (UTC), as far as the envelope says it.
    """

    type: str
    data: Part
    version: str
    told_at: datetime | None = None


def read_envelope(message: RawMessage, payload: JsonObject) -> Told:
    """Open the envelope; holds types we do not know and contracts of another major version."""
    event_type = _event_type(message, payload)
    if event_type not in BODIES:
        raise _unknown(event_type)
    if "specversion" not in payload:
        return Told(event_type, Part(payload), identifier_or(payload, "/objectversion"))
    if payload["specversion"] != "1.0":
        words = "This CloudEvent is not of version 1.0. Send specversion 1.0."
        raise HoldRecord("contract.version_unknown", "/specversion", words)
    _check_contract(text_or(payload, "/dataschema"), event_type)
    version = identifier_or(payload, "/objectversion") or identifier_or(payload, "/id")
    told_at = moment_or_none(payload, "/time")
    return Told(event_type, part(payload, "/data"), version, told_at)


def _event_type(message: RawMessage, payload: JsonObject) -> str:
    """Find the sender's word for the message, in its own field or its topic, and what it means."""
    field = str(message.settings.get("topic_field") or TYPE_FIELD)
    told = text_or(payload, f"/{field.removeprefix('/')}") or message.topic
    meanings = message.settings.get("event_types")
    meant = meanings.get(told, told) if isinstance(meanings, Mapping) else told
    return str(meant)


def _unknown(event_type: str) -> HoldRecord:
    shown = event_type[:_SHOWN_CHARACTERS]
    match = _VERSIONED.fullmatch(event_type)
    if match and f"{match[1]}.v1" in BODIES:
        words = f'"{shown}" is a version we do not know. Send {match[1]}.v1, or wait for an update.'
        return HoldRecord("contract.version_unknown", TYPE_FIELD, words)
    words = f'"{shown}" is no kind of event we know. Map it in the connection or stop sending it.'
    return HoldRecord("event.type_unknown", TYPE_FIELD, words)


def _check_contract(schema: str, event_type: str) -> None:
    """Hold a contract of ours in another major version; schemas of others are their own affair."""
    match = _CONTRACT.fullmatch(schema)
    name, ours = BODIES[event_type][1].split("/")
    if match and match[1] == name and match[2] != ours.partition(".")[0]:
        words = f"This event is written under {name} {match[2]}, we read {ours}. Send that version."
        raise HoldRecord("contract.version_unknown", "/dataschema", words)
