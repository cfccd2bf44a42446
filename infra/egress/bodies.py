"""Bodies of answers: bytes, capped, decoded in slices so that no target can fill memory or time."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass

from aiohttp import StreamReader

SLICE_BYTES = 16_384
# Beyond this many decoded bytes, more than RATIO_LIMIT bytes out of one byte is taken for a bomb
# (deflate reaches 1,032; repetitive JSON stays below 100).
RATIO_FREE_BYTES = 1_048_576
RATIO_LIMIT = 200

_GZIP_MAGIC = b"\x1f\x8b"
_NOT_ENCODED = frozenset({"", "identity"})
_DEFLATED = frozenset({"gzip", "x-gzip", "deflate"})


@dataclass(frozen=True, slots=True)
class Body:
    """Decoded bytes; `is_complete` is false when cut at the cap or not decodable."""

    content: bytes
    is_complete: bool


async def read_body(stream: StreamReader, encoding: str, max_bytes: int) -> Body:
    """Read and decode a body up to `max_bytes` of decoded bytes.

    A body that cannot be decoded is empty and incomplete: the status still counts.
    Raises what aiohttp raises when the body breaks off.
    """
    encoding = encoding.strip().lower()
    if encoding in _NOT_ENCODED:
        return await _read_plain(stream, max_bytes)
    if encoding in _DEFLATED:
        try:
            return await _read_deflated(stream, encoding, max_bytes)
        except zlib.error:
            pass
    return Body(b"", is_complete=False)


async def _read_plain(stream: StreamReader, max_bytes: int) -> Body:
    content = bytearray()
    while arrived := await stream.readany():
        content += arrived
        if len(content) > max_bytes:
            return Body(bytes(content[:max_bytes]), is_complete=False)
    return Body(bytes(content), is_complete=True)


async def _read_deflated(stream: StreamReader, encoding: str, max_bytes: int) -> Body:
    content = bytearray()
    inflater = _Inflater(encoding)
    arrived_bytes = 0
    while arrived := await stream.readany():
        arrived_bytes += len(arrived)
        inflater.take(arrived)
        while inflater.has_more:
            content += inflater.next_slice()
            if len(content) > max_bytes or _is_bomb(len(content), arrived_bytes):
                return Body(bytes(content[:max_bytes]), is_complete=False)
            await asyncio.sleep(0)
    return Body(bytes(content), is_complete=inflater.is_at_end or not arrived_bytes)


def _is_bomb(decoded_bytes: int, arrived_bytes: int) -> bool:
    return decoded_bytes > RATIO_FREE_BYTES and decoded_bytes > RATIO_LIMIT * arrived_bytes


class _Inflater:
    """A gzip or deflate stream, also of several gzip members, one slice at a time."""

    def __init__(self, encoding: str) -> None:
        self._is_gzip = encoding != "deflate"
        self._stream: zlib._Decompress | None = None
        self._pending = b""
        self.has_more = False

    @property
    def is_at_end(self) -> bool:
        """Say whether the last member ended properly."""
        return self._stream is not None and self._stream.eof

    def take(self, arrived: bytes) -> None:
        """Add bytes that arrived; padding after the end is ignored."""
        self._pending += arrived
        self.has_more = not self.is_at_end or self._starts_member()

    def next_slice(self) -> bytes:
        """Decode up to 16 KB; raises zlib.error when the bytes are damaged."""
        if self._stream is None or self._stream.eof:
            self._stream = zlib.decompressobj(self._window_bits())
        piece = self._stream.decompress(self._pending, SLICE_BYTES)
        if self._stream.eof:
            self._pending = self._stream.unused_data
            self.has_more = self._starts_member()
        else:
            self._pending = self._stream.unconsumed_tail
            # A full slice may have more inside the decoder although all input was taken.
            self.has_more = bool(self._pending) or len(piece) == SLICE_BYTES
        return piece

    def _starts_member(self) -> bool:
        return self._is_gzip and self._pending.startswith(_GZIP_MAGIC)

    def _window_bits(self) -> int:
        if self._is_gzip:
            return 16 + zlib.MAX_WBITS
        # Some servers send raw deflate where RFC 9110 asks for zlib; its first byte tells.
        is_wrapped = self._pending[0] & 0x0F == zlib.DEFLATED
        return zlib.MAX_WBITS if is_wrapped else -zlib.MAX_WBITS
