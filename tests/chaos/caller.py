"""One keep-alive HTTP connection of a client, by hand: no library between the client and the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

ANSWER_DEADLINE_S = 6.0


class NoAnswer(Exception):
    """The connection failed or no whole answer came: the client cannot know what was done."""


class Caller:
    """Posts one request after the other; connects again after every trouble."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Give the status of the answer; raises NoAnswer."""
        try:
            async with asyncio.timeout(ANSWER_DEADLINE_S):
                return await self._post(path, headers, body)
        except (OSError, EOFError, ValueError, TimeoutError) as fault:
            self.close()
            raise NoAnswer from fault

    def close(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _post(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(answer.split(" ", 2)[1])
        length = answer.partition("content-length:")[2].partition("\r\n")[0]
        await reader.readexactly(int(length))
        if "connection: close" in answer:
            self.close()
        return status
