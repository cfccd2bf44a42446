"""Whether a whole file is text in the connection's encoding, before any record of it is used."""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

from connectors.catalog.pos_files.window import CHUNK_BYTES
from connectors.sdk.message import HoldRecord

BOM = codecs.BOM_UTF8
# Encodings in which ASCII bytes mean ASCII characters, so that records can be cut on bytes.
SUPPORTED = frozenset({
    "ascii", "utf-8", "cp1250", "cp1251", "cp1252", "iso8859-1", "iso8859-2", "iso8859-15",
})  # fmt: skip
_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def codec_name(name: str) -> str:
    """Give the one name of an encoding; raises HoldRecord for one that cannot be read."""
    try:
        found = codecs.lookup(name).name
    except LookupError:
        found = ""
    if found not in SUPPORTED:
        raise HoldRecord(
            "file.encoding",
            "/settings/encoding",
            f'The connection reads "{name}", which is not an encoding that tills use. '
            "Choose utf-8 or windows-1252 in the connection's settings.",
        )
    return found


def check_encoding(file: BinaryIO, encoding: str) -> None:
    """Read the file once and refuse it as a whole when its bytes are not text in `encoding`.

    Takes:  a seekable file at its start; it is at its start again afterwards.
    Raises: HoldRecord `file.encoding` with the offset of the first byte that does not fit.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    byte = 0
    declared = ""
    is_ascii = True
    try:
        while chunk := file.read(CHUNK_BYTES):
            declared = declared or _declared(chunk if byte == 0 else b"")
            is_ascii = is_ascii and chunk.isascii()
            decoder.decode(chunk)
            byte += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as fault:
        raise _held(
            encoding, f"byte {byte - _pending(decoder) + fault.start} does not fit"
        ) from None
    if declared not in {"", encoding} and not is_ascii:
        raise _held(encoding, f"the file itself says {declared}")
    file.seek(0)


def _declared(head: bytes) -> str:
    found = _DECLARED.search(head)
    if found is None:
        return ""
    try:
        return codecs.lookup(found[1].decode("ascii")).name
    except LookupError:
        return found[1].decode("ascii").lower()


def _pending(decoder: codecs.IncrementalDecoder) -> int:
    """Count the bytes of a character that began in an earlier chunk; faults are counted from it."""
    held = decoder.getstate()[0]
    return len(held)


def _held(encoding: str, reason: str) -> HoldRecord:
    return HoldRecord(
        "file.encoding",
        "/",
        f"The file is read as {encoding}, but {reason}. Nothing of it was used. "
        "Choose the encoding that the till writes, then read the file again.",
    )
