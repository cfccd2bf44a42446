"""One embedded Redis: append-only file flushed every second, a password, loopback only."""

from __future__ import annotations

import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.embedded import processes
from infra.embedded.account import Account
from infra.embedded.failure import EmbeddedServersError
from infra.embedded.ports import CONNECT_TIMEOUT_S, LOOPBACK

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 15
ANSWER_LIMIT_BYTES = 256
READY_ANSWER = [b"+OK\r\n", b"+PONG\r\n"]


@dataclass(frozen=True, slots=True)
class Store:
    """A working folder, the server program and the account that runs it."""

    folder: Path
    program: str
    account: Account

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "server.log"


def launch(store: Store, port: int, password: str) -> None:
    """Start the server without waiting for it; an append-only file cut by a crash is repaired.

    Raises: EmbeddedServersError when the program refuses its settings.
    """
    # Settings arrive on a pipe: as arguments the password would be visible to every user.
    settings = "\n".join(f"{name} {value}" for name, value in _settings(store, port, password))
    started = subprocess.run(
        [store.program, "-"],
        check=False,
        input=settings,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **store.account.process_options(),
    )
    if started.returncode != 0:
        raise EmbeddedServersError(f"Redis did not start. See {store.log}.")


def wait_ready(store: Store, port: int, password: str) -> None:
    """Wait until the server has read its file and answers.

    Raises: EmbeddedServersError when it does not in time; the log says why.
    """
    if not processes.wait_until(lambda: answers(port, password), START_TIMEOUT_S):
        raise EmbeddedServersError(f"Redis does not answer on port {port}. See {store.log}.")


def answers(port: int, password: str) -> bool:
    """Tell whether our Redis, the one with this password, is ready for commands."""
    try:
        with socket.create_connection((LOOPBACK, port), CONNECT_TIMEOUT_S) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            with connection.makefile("rb") as reader:
                said = [reader.readline(ANSWER_LIMIT_BYTES) for _ in READY_ANSWER]
    except OSError:
        return False
    return said == READY_ANSWER


def running(folder: Path) -> psutil.Process | None:
    """Give the Redis process of a folder when it is alive."""
    return processes.server_process(folder / "redis.pid", folder)


def stop(folder: Path) -> bool:
    """Shut down after writing everything. Tells whether a server was running."""
    server = running(folder)
    if server is None:
        return False
    server.send_signal(signal.SIGTERM)
    if not processes.wait_until(lambda: not processes.is_alive(server), STOP_TIMEOUT_S):
        processes.kill([server])
    return True


def _settings(store: Store, port: int, password: str) -> tuple[tuple[str, str], ...]:
    return (
        ("bind", LOOPBACK),
        ("port", str(port)),
        ("requirepass", password),
        ("daemonize", "yes"),
        ("dir", f'"{store.folder}"'),
        ("pidfile", f'"{store.folder / "redis.pid"}"'),
        ("logfile", f'"{store.log}"'),
        ("appendonly", "yes"),
        ("appendfsync", "everysec"),
        ("save", '""'),
        # A queue must refuse new work rather than drop accepted work.
        ("maxmemory-policy", "noeviction"),
    )
