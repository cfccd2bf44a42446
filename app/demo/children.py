"""Child processes of the demo: started with a log each, started again when they die, ended together."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOOK_EVERY_S = 0.5
STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep running: its name, command and additional environment."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass(slots=True)
class Children:
    """Keeps children running until the block ends; `restarts` counts what had died."""

    logs: Path
    restarts: int = 0
    _running: dict[str, tuple[Child, subprocess.Popen[bytes]]] = field(default_factory=dict)

    def start(self, child: Child) -> None:
        """Start one child; its output goes to `<logs>/<name>.log`."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{child.name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - every argument is ours, no shell is involved
                list(child.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **child.environment},
                # Ctrl-C goes to the parent alone, which ends its children in order.
                start_new_session=True,
            )
        self._running[child.name] = (child, process)

    async def keep_running(self) -> None:
        """Start again what has died, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for child, process in list(self._running.values()):
                if process.poll() is not None:
                    self.restarts += 1
                    self.start(child)

    def pids(self) -> dict[str, int]:
        """Give the process ids by name."""
        return {name: process.pid for name, (_, process) in self._running.items()}

    def stop(self) -> None:
        """End all children: politely first, by force after ten seconds."""
        processes = [process for _, process in self._running.values()]
        self._running.clear()
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
