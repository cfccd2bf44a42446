"""The fixtures of a connector as cases: what arrives, and what it must become.

A case is a JSON file with `topic`, one of `body`, `body_text` or `file` (beside it), and where
needed `headers`, `settings`, and `expect`: {"types": [...]}, {"hold": code} or {"skipped": code}.
A vendor's own message stays a file of its own, named by a case beside it (`order.case.json`).
`send.json` holds the settings for sending, by action ("*" for all). The connector itself cuts a
till file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from connectors.sdk.connector import Connector
from connectors.sdk.message import JsonObject, RawMessage

SEND_FILE = "send.json"
# Reading knows no clock: any moment does.
RECEIVED_AT = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Case:
    """One message with what it must become; an empty `expect` accepts events or a reasoned hold."""

    name: str
    message: RawMessage
    expect: JsonObject = field(default_factory=dict)


def read_cases(folder: Path, connector: Connector) -> tuple[Case, ...]:
    """Read every fixture of a connector, in order of file names."""
    files = sorted(path for path in folder.glob("*") if path.is_file() and path.name != SEND_FILE)
    used = {path.with_name(told["file"]) for path in files if "file" in (told := _told(path))}
    return tuple(
        case
        for path in files
        if path not in used and path.suffix != ".md"
        for case in _cases_of(path, connector)
    )


def read_send_settings(folder: Path) -> dict[str, JsonObject]:
    """Read the settings for sending, by action; none when there is no such file."""
    path = folder / SEND_FILE
    if not path.exists():
        return {}
    told: dict[str, JsonObject] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    return told


def _cases_of(path: Path, connector: Connector) -> Iterator[Case]:
    told = _told(path)
    if "expect" in told:
        yield _case(path, told)
    elif "file" in connector.manifest.receives:
        yield from _cut(path, connector)


def _case(path: Path, told: JsonObject) -> Case:
    message = RawMessage(
        topic=told.get("topic", ""),
        body=_body(path, told),
        received_at=RECEIVED_AT,
        headers=told.get("headers", {}),
        settings=told.get("settings", {}),
    )
    return Case(path.name, message, told["expect"])


def _body(path: Path, told: JsonObject) -> bytes:
    if "file" in told:
        return path.with_name(told["file"]).read_bytes()
    return told["body_text"].encode() if "body_text" in told else msgspec.json.encode(told["body"])


def _cut(path: Path, connector: Connector) -> Iterator[Case]:
    settings = BARE_SETTINGS
    with path.open("rb") as file:
        for record in connector.split(path.name, file, settings):
            message = RawMessage(
                record.topic, record.body, RECEIVED_AT, {}, record.position, settings
            )
            yield Case(f"{path.name}#{record.position.record}", message)


def _told(path: Path) -> JsonObject:
    if path.suffix != ".json":
        return {}
    told = msgspec.json.decode(path.read_bytes())
    return told if isinstance(told, dict) else {}


# What a till's files leave open; a connection always says it.
BARE_SETTINGS: JsonObject = {
    "timezone": "America/New_York", "currency": "USD", "store": "1", "workstation": "1",
}  # fmt: skip
