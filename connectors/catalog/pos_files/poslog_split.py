"""A POSLog file as records: one per transaction, each with its key, its bytes and its place."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO

from connectors.catalog.pos_files.encoding import check_encoding
from connectors.catalog.pos_files.poslog_cut import MAX_RECORD_BYTES, Flaw, Piece, pieces
from connectors.catalog.pos_files.poslog_key import (
    check_header,
    header_in,
    header_of,
    natural_key,
    total_in,
)
from connectors.catalog.pos_files.poslog_parse import parse
from connectors.catalog.pos_files.poslog_root import open_root
from connectors.catalog.pos_files.record_key import broken_key
from connectors.catalog.pos_files.settings import TillSettings, till_settings
from connectors.catalog.pos_files.window import Window
from connectors.sdk.message import FileRecord, HoldRecord, JsonObject, Position

TOPIC = "transaction"
# What the cut itself shows; that a transaction has no end tag (`unclosed`) is told by the parser.
_FLAWS: dict[Flaw, str] = {
    "incomplete": "poslog.incomplete",
    "too_large": "xml.record_too_large",
    "stray": "xml.malformed",
}
_WORDS = {
    "poslog.incomplete": "The file ends in the middle of this transaction, or before its closing "
    "</POSLog>. Complete transactions were used; this one waits for the complete file.",
    "xml.record_too_large": f"This transaction is larger than {MAX_RECORD_BYTES // 1_048_576} MiB; "
    "only its beginning is kept. Ask the till to send it again.",
    "xml.malformed": "Something stands between two transactions that is none itself: its beginning "
    "is damaged. The others of the file are not affected. Ask the till to send it again.",
}


def split_poslog(name: str, file: BinaryIO, settings: JsonObject) -> Iterator[FileRecord]:
    """Cut a POSLog into records, streaming; calling twice gives the same records.

    Takes:  a seekable file at its start.
    Gives:  records in file order. The key of a sound transaction is its natural key; that of a
            broken one also carries a digest, so that the corrected one is not taken for a repeat.
    Rules:  the same key with other content (L14) is held as `ticket.number_reused`.
    Memory: one transaction, and about 250 bytes for each key seen.
    Raises: HoldRecord when the file as a whole cannot be trusted, before any record.
    """
    till = till_settings(settings)
    check_encoding(file, till.encoding)
    window = Window(file)
    root = open_root(window)
    seen: dict[bytes, bytes] = {}
    for number, piece in enumerate(() if root.is_empty else pieces(window, root), start=1):
        position = Position(name, number, piece.line, piece.byte)
        yield _record(piece, position, till, seen)


def _record(
    piece: Piece, position: Position, till: TillSettings, seen: dict[bytes, bytes]
) -> FileRecord:
    try:
        key = _sound_key(piece, till)
        _check_unused(key, piece.body, seen, till)
    except HoldRecord as held:
        key = broken_key(_readable_key(piece.body, till), piece.body)
        return FileRecord(TOPIC, key, piece.body, position, held)
    return FileRecord(TOPIC, key, piece.body, position)


def _sound_key(piece: Piece, till: TillSettings) -> str:
    if piece.flaw in _FLAWS:
        code = _FLAWS[piece.flaw]
        raise HoldRecord(code, "/Transaction", _WORDS[code], total_in(piece.body, till.currency))
    try:
        header = header_of(parse(piece.body, till.encoding))
        check_header(header)
    except HoldRecord as held:
        amount = total_in(piece.body, till.currency)
        raise HoldRecord(held.code, held.pointer, held.words, amount) from None
    return natural_key(header, with_operator=till.has_key_per_operator)


def _check_unused(key: str, body: bytes, seen: dict[bytes, bytes], till: TillSettings) -> None:
    place, content = sha256(key.encode()).digest()[:16], sha256(body).digest()[:16]
    if seen.setdefault(place, content) != content:
        raise HoldRecord(
            "ticket.number_reused",
            "/Transaction/SequenceNumber",
            "This file already has another transaction with the same store, day, till and number. "
            "It may be an edit or a fault of the till, so it is not used by itself. "
            "Compare both, then release or discard this one.",
            total_in(body, till.currency),
        )


def _readable_key(body: bytes, till: TillSettings) -> str:
    return natural_key(header_in(body), with_operator=till.has_key_per_operator)
