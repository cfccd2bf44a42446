"""Our own processes: started with a log each, started again when they die, killed on demand."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOOK_EVERY_S = 0.05
# A process that cannot start, because the database is away, is not started again more often.
START_AGAIN_AFTER_S = 0.3
STOP_TIMEOUT_S = 15.0
ROOT = Path(__file__).parents[2]
READY = b'.started"'
TAIL_BYTES = 1_500


@dataclass(frozen=True, slots=True)
class OwnDeath:
    """A process that ended although nobody killed it, with the end of its log."""

    name: str
    exit_code: int
    log_tail: str


@dataclass(slots=True)
class _Running:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes]
    log: Path
    is_killed: bool = False


@dataclass(slots=True)
class Fleet:
    """Keeps processes running; a death that nobody asked for is remembered.

    `false_starts` counts ends before the process said that it had started (its database was away).
    """

    environment: Mapping[str, str]
    logs: Path
    starts: int = 0
    false_starts: int = 0
    own_deaths: list[OwnDeath] = field(default_factory=list)
    _running: dict[str, _Running] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a process under a name."""
        self.starts += 1
        log = self.logs / f"{self.starts:04}-{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=ROOT,
                env={**_inherited(), **self.environment},
                start_new_session=True,
            )
        self._running[name] = _Running(name, command, process, log)

    def start_product(self, name: str, *arguments: str) -> None:
        """Start one of the product's own commands."""
        self.start(name, [str(Path(sys.executable).parent / "tillwire"), *arguments])

    async def keep_running(self) -> None:
        """Start again what has died, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for running in list(self._running.values()):
                if running.process.poll() is not None:
                    if not running.is_killed:
                        self._note_death(running)
                        await asyncio.sleep(START_AGAIN_AFTER_S)
                    self.start(running.name, running.command)

    def kill(self, name: str) -> None:
        """End one process with SIGKILL."""
        running = self._running[name]
        running.is_killed = True
        running.process.kill()

    def pid(self, name: str) -> int:
        """Give the process id behind a name."""
        return self._running[name].process.pid

    def is_ready(self, name: str) -> bool:
        """Say whether a process has told that it started."""
        running = self._running[name]
        return running.process.poll() is None and READY in running.log.read_bytes()

    async def until_ready(self, names: Iterable[str]) -> None:
        """Wait until these processes have told that they started."""
        waited_for = list(names)
        while not all(map(self.is_ready, waited_for)):  # noqa: ASYNC110 - other processes start
            await asyncio.sleep(LOOK_EVERY_S)

    def end(self, name: str) -> None:
        """End one process politely and forget it."""
        process = self._running.pop(name).process
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self) -> list[str]:
        """End all processes politely; gives the names of those that had to be killed."""
        stubborn = []
        for running in self._running.values():
            running.process.send_signal(signal.SIGTERM)
        for running in self._running.values():
            try:
                running.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                stubborn.append(running.name)
                running.process.kill()
                running.process.wait()
        self._running.clear()
        return stubborn

    def count_in_logs(self, event_name: str) -> int:
        """Count log lines of one event in all logs."""
        wanted = f'"event_name":"{event_name}"'.encode()
        return sum(log.read_bytes().count(wanted) for log in self.logs.glob("*.log"))

    def sum_in_logs(self, wanted: bytes) -> int:
        """Add up the `count` of all log lines that have these bytes."""
        return sum(
            int(line.partition(b'"count":')[2].partition(b"}")[0].partition(b",")[0])
            for log in self.logs.glob("*.log")
            for line in log.read_bytes().split(b"\n")
            if wanted in line
        )

    def _note_death(self, running: _Running) -> None:
        said = running.log.read_bytes()
        if READY not in said:
            self.false_starts += 1
            return
        code = running.process.returncode
        tail = said[-TAIL_BYTES:].decode("utf-8", "replace")
        self.own_deaths.append(OwnDeath(running.name, code, tail))


def _inherited() -> dict[str, str]:
    """Give the environment without settings of the developer's own installation."""
    ours = ("TILLWIRE_", "DATABASE_", "REDIS_", "EGRESS_", "SENTRY_", "PG")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
