"""The TCP ports of the embedded servers: chosen once, remembered, changed only when taken."""

from __future__ import annotations

import json
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below the range from which Linux and macOS take ports for outgoing connections (32768 and 49152),
# so that no client on this machine occupies ours while the servers are down.
FIRST_PORT, LAST_PORT = 20_000, 32_000
CONNECT_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the two servers listen on the loopback address."""

    postgres: int
    redis: int


def remembered(path: Path) -> Ports | None:
    """Read the chosen ports; nothing when there was no start yet or the file is damaged."""
    try:
        return Ports(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def remember(path: Path, ports: Ports) -> None:
    """Keep the ports for the next start."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(ports)), "utf-8")
    partial.replace(path)


def free_port(wanted: int | None = None) -> int:
    """Give the wanted port when nobody listens on it, else another free one."""
    port = wanted
    while port is None or not _is_free(port):
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT)
    return port


def answers(port: int) -> bool:
    """Tell whether something accepts connections on a port."""
    with socket.socket() as probe:
        probe.settimeout(CONNECT_TIMEOUT_S)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: connections of the last run that linger in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
