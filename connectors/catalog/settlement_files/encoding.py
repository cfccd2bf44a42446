"""The bytes of a report as text, in the connection's encoding."""

from __future__ import annotations

import codecs

from connectors.sdk.message import HoldRecord, JsonObject

DEFAULT = "utf-8"
# Encodings in which a tab and a line's end are one byte each, so that lines are cut on bytes.
SUPPORTED = frozenset({"utf-8", "cp1252", "iso8859-1", "iso8859-15"})


def codec_name(settings: JsonObject) -> str:
    """Give the one name of the connection's encoding; raises HoldRecord for one that is not read."""
    name = str(settings.get("encoding") or DEFAULT)
    try:
        found = codecs.lookup(name).name
    except LookupError:
        found = ""
    if found not in SUPPORTED:
        words = f'The connection reads "{name[:40]}". Choose utf-8 or windows-1252 in its settings.'
        raise HoldRecord("file.encoding", "/settings/encoding", words)
    return found


def decoded(raw: bytes, encoding: str, line: int) -> str:
    """Give text; raises HoldRecord naming the line (from 1) whose bytes do not fit."""
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as fault:
        at = line + raw.count(b"\n", 0, fault.start)
        words = (
            f"Line {at} is not text in {encoding}. Choose the encoding that the marketplace writes, such"
            " as windows-1252, in the connection's settings."
        )
        raise HoldRecord("file.encoding", f"/line/{at}", words) from None
