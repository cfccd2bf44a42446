"""The HTTP connector, but for records that name a deed: `poison-read-abort`, `poison-send-spin`..."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable

from connectors.catalog.http.connector import HttpConnector
from connectors.sdk.connector import Dispatch
from connectors.sdk.message import RawMessage, Reading
from connectors.sdk.outcome import Outcome
from connectors.sdk.transport import Transport

NAME = "poison"
LONG_S = 10_000.0
MUCH_BYTES = 4 << 30
_NAMED = re.compile(r"poison-(read|send)-([a-z]+)")


def _spin() -> None:
    while True:
        pass


def _hold_the_interpreter() -> None:
    # Exponential in C code, which gives the interpreter's lock to nobody until it is done.
    re.match(r"(?:a+)+$", "a" * 60 + "b")


DEEDS: dict[str, Callable[[], object]] = {
    "abort": os.abort,
    "memory": lambda: bytearray(MUCH_BYTES),
    "spin": _spin,
    "gil": _hold_the_interpreter,
    "block": lambda: time.sleep(LONG_S),
}


class PoisonConnector(HttpConnector):
    """Does the deed that a record names while it is read, or while it is sent."""

    def read(self, message: RawMessage) -> Reading:
        """Read one message, or do its deed."""
        _do("read", message.body.decode())
        return super().read(message)

    async def send(self, dispatch: Dispatch, transport: Transport) -> Outcome:
        """Send one event, or do its deed."""
        _do("send", dispatch.event.key)
        return await super().send(dispatch, transport)


def _do(where: str, text: str) -> None:
    named = _NAMED.search(text)
    if named is not None and named[1] == where:
        DEEDS[named[2]]()


CONNECTOR = PoisonConnector
