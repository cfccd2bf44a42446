"""Sixteen targets that mean no good, each at a port of its own: python -m tests.chaos.hostile_server."""

from __future__ import annotations

import asyncio
import gzip
import json
import struct
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET

from tests.infra.egress.targets import Script, answering, answering_body, running_target, trickling

# 520 KB that become 512 MB.
BOMB = gzip.compress(b"\0" * (512 << 20), 9)
SLOW_S = 0.5
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


async def _silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def behaviours() -> Mapping[str, Script]:
    """Give what each target does with every request, by name."""
    return {
        "gzip_bomb": answering_body(BOMB, "content-encoding: gzip"),
        "body_byte_by_byte": trickling(
            b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", b"x", SLOW_S
        ),
        "header_by_header": trickling(b"HTTP/1.1 200 OK\r\n", b"x-more: 1\r\n", SLOW_S),
        "endless_interim": trickling(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
        "endless_body": trickling(CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n", 0.001),
        "endless_header": trickling(b"HTTP/1.1 200 OK\r\nx-long: ", b"x" * 65_536, 0.001),
        "wrong_length": answering(
            b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort", then_close=True
        ),
        "reset": _reset,
        "garbage": answering(b"\x16\x03\x01 220 mail.example ESMTP\r\n\r\n", then_close=True),
        "silence": _silence,
        "bad_gzip": answering_body(b"this is not gzip", "content-encoding: gzip"),
        "odd_charset": answering_body(b"uryyb", "content-type: text/plain; charset=rot13"),
        "redirect_inside": answering_body(
            b"", "location: http://169.254.169.254/latest/meta-data", status=302
        ),
        "odd_status": answering_body(b"{}", status=999),
        "retry_in_30_years": answering_body(b"{}", "retry-after: 999999999", status=429),
        "echoes_secrets": answering_body(b'{"error":"webhook-signature: v1,abc"}', status=400),
    }


async def main(ports: Path) -> None:
    """Serve all of them for ever; their addresses are written to a file as JSON."""
    async with AsyncExitStack() as stack:
        served = {
            name: (await stack.enter_async_context(running_target(script))).port
            for name, script in behaviours().items()
        }
        written = {name: f"http://127.0.0.1:{port}" for name, port in served.items()}
        await asyncio.to_thread(_write, ports, json.dumps(written))
        await asyncio.Event().wait()


def _write(path: Path, text: str) -> None:
    beside = path.with_suffix(".part")
    beside.write_text(text, encoding="utf-8")
    beside.rename(path)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
