"""Posts to the recording target over a real socket, as any caller would."""

from __future__ import annotations

import asyncio


async def post(port: int, body: bytes, path: str = "/events", **headers: str) -> tuple[int, bytes]:
    """Send one request on its own connection; gives status and body, or raises when none comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request(body, path, **headers))
        return await answer(reader)
    finally:
        writer.close()


def request(body: bytes, path: str = "/events", **headers: str) -> bytes:
    """Write one request; header names with underscores for dashes."""
    told = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{told}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer; raises IncompleteReadError when the connection ends before it."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    size = int(head.split("content-length: ")[1].split("\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(size)
