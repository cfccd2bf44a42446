"""The clients' own log: what was sent, and what was answered with 2xx; written before and after."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedWriter
from pathlib import Path
from typing import Literal

import msgspec


class Told(msgspec.Struct, frozen=True, gc=False):
    """One line: an event (lane and version) that a client began to send, or that was accepted.

    `at_ns` is the wall clock in nanoseconds since 1970; `tries` counts requests up to here.
    """

    what: Literal["sent", "acked"]
    lane: str
    version: int
    at_ns: int
    tries: int
    status: int = 0


class ClientLog:
    """Appends lines to a file and counts what was accepted."""

    def __init__(self, path: Path) -> None:
        self.acked = 0
        self.last_acked_ns = 0
        self._file: BufferedWriter = path.open("ab")
        self._encoder = msgspec.json.Encoder()

    def write(self, told: Told) -> None:
        """Keep one line."""
        if told.what == "acked":
            self.acked += 1
            self.last_acked_ns = told.at_ns
        self._file.write(self._encoder.encode(told) + b"\n")

    def close(self) -> None:
        """Finish the log."""
        self._file.close()


def read_told(path: Path) -> Iterator[Told]:
    """Read a log back line by line."""
    decoder = msgspec.json.Decoder(Told)
    with path.open("rb") as file:
        for line in file:
            yield decoder.decode(line)
