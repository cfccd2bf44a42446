"""Names to addresses, asked by us, so that what is checked is what is connected to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

# Look-ups block a thread each. Their own few threads keep a tenant's dead name server from taking
# the threads that files and CPU work use.
RESOLVER_THREADS = 16


class Resolver(Protocol):
    """Gives the addresses of a host, in order of preference; raises OSError when there are none."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Look a host up once; never from a cache older than the name server allows."""
        ...

    async def close(self) -> None:
        """Give resources back; calling twice is safe."""
        ...


class SystemResolver:
    """Asks what the machine asks (hosts file, name servers), in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="egress-dns")

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Look a host up with getaddrinfo."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _look_up, host, port)

    async def close(self) -> None:
        """Drop waiting look-ups; running ones end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> tuple[str, ...]:
    # As bytes, because Python would answer a label of 64 letters with a UnicodeError.
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
