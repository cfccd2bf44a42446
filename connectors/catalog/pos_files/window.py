"""A sliding view of a byte stream that always knows the offset and line of its first byte."""

from __future__ import annotations

from typing import BinaryIO

CHUNK_BYTES = 65_536


class Window:
    """The part of a file that is in memory; what is taken leaves it.

    `byte` is the offset (from 0) and `line` the line number (from 1) of the first byte of `data`.
    A line ends with CRLF, LF or a lone CR.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.data = bytearray()
        self.byte = 0
        self.line = 1
        self._file = file
        self._took_cr = False

    def load(self) -> bool:
        """Bring the next chunk into view; False when the file has ended."""
        chunk = self._file.read(CHUNK_BYTES)
        self.data += chunk
        return bool(chunk)

    def take(self, size_bytes: int) -> bytes:
        """Remove the first bytes from view and move on past them."""
        taken = bytes(self.data[:size_bytes])
        del self.data[:size_bytes]
        self.byte += len(taken)
        self.line += line_ends(taken)
        if self._took_cr and taken.startswith(b"\n"):
            self.line -= 1  # the CR before it has already ended that line
        if taken:
            self._took_cr = taken.endswith(b"\r")
        return taken


def line_ends(part: bytes) -> int:
    """Count the line ends in a part of a file."""
    return part.count(b"\n") + part.count(b"\r") - part.count(b"\r\n")
