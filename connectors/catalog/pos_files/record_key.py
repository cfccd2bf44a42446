"""Keys of records that are held: they never stand in the way of the corrected record."""

from __future__ import annotations

from hashlib import sha256

_DIGEST_CHARACTERS = 16


def broken_key(readable: str, body: bytes) -> str:
    """Give the key of a damaged record: what is readable of its natural key, and its content.

    The same damage read twice is one record; the corrected ticket, which has the bare natural
    key, is another and is delivered.
    """
    return f"{readable}!{sha256(body).hexdigest()[:_DIGEST_CHARACTERS]}"
