"""How a process is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator

# A closed terminal (SIGHUP) ends a process as Ctrl-C does: in order.
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextlib.contextmanager
def until_signal() -> Iterator[asyncio.Event]:
    """Give an event that is set on SIGTERM, SIGINT or SIGHUP; what is ignored stays ignored."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # `nohup` ignores SIGHUP so that a process outlives its terminal.
    heard = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    for number in heard:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
