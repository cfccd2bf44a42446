"""Decompress a body that was received whole: one layer of gzip, bounded in size and in ratio."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

from infra.errors import PlatformError

MAX_DECODED_BYTES = 10_485_760
MAX_RATIO = 100

_JSON_SUFFIX = re.compile(rb"application/[a-z0-9.!#$&^_-]{1,80}\+json")
_PLAIN = {b"", b"identity"}
_GZIP_ONLY = 31  # zlib window bits that accept a gzip wrapper and nothing else
_SLICE_BYTES = 65_536


class BodyRefused(PlatformError):
    """A compressed body that cannot or may not be decompressed."""


def decode_body(
    headers: Iterable[tuple[bytes, bytes]],
    raw: bytes,
    max_bytes: int = MAX_DECODED_BYTES,
    max_ratio: int = MAX_RATIO,
) -> bytes:
    """Give the body without its Content-Encoding; call it only after the signature over `raw` held.

    Takes:  raw ASGI headers (lower-case names) and the bytes as received.
    Raises: BodyRefused: 415 for anything but one gzip layer, 413 beyond `max_bytes` or beyond
            `max_ratio` times the received size, 400 when it is no whole gzip stream.
    """
    layers = _layers(headers)
    if not layers:
        return raw
    if layers != [b"gzip"]:
        raise BodyRefused(
            "Send the body plain, or compressed once with gzip.",
            code="body.encoding_unsupported",
            status=415,
        )
    return _unpacked(raw, min(max_bytes, max_ratio * len(raw)))


def check_json_media_type(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse (415) a request that does not say it is JSON; for our own API, not for webhooks."""
    values = [value for name, value in headers if name == b"content-type"]
    media_type = values[0].split(b";")[0].strip().lower() if len(values) == 1 else b""
    if media_type != b"application/json" and not _JSON_SUFFIX.fullmatch(media_type):
        raise BodyRefused(
            "Send JSON with Content-Type application/json.",
            code="body.wrong_media_type",
            status=415,
        )


def _layers(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    values = [value for name, value in headers if name == b"content-encoding"]
    layers = [part.strip().lower() for value in values for part in value.split(b",")]
    return [layer for layer in layers if layer not in _PLAIN]


def _unpacked(raw: bytes, max_bytes: int) -> bytes:
    """Unpack in slices, so that never more than one slice beyond the limit is held."""
    unpacker = zlib.decompressobj(_GZIP_ONLY)
    parts: list[bytes] = []
    size_bytes, rest = 0, raw
    try:
        while not unpacker.eof:
            parts.append(unpacker.decompress(rest, _SLICE_BYTES))
            rest = unpacker.unconsumed_tail
            if not rest and not parts[-1]:
                break
            size_bytes += len(parts[-1])
            if size_bytes > max_bytes:
                raise BodyRefused(
                    "The body is too large after decompression.", code="body.too_large", status=413
                )
    except zlib.error:
        raise _broken() from None
    if not unpacker.eof or unpacker.unused_data:
        raise _broken()
    return b"".join(parts)


def _broken() -> BodyRefused:
    return BodyRefused(
        "The body is not one whole gzip stream.", code="body.encoding_broken", status=400
    )
