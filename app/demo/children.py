"""Child processes of the demo: started with a log each, started again when they die, ended together."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra import clock

LOOK_EVERY_S = 0.2
STOP_TIMEOUT_S = 10.0
# A child that dies young again and again is started at growing intervals.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
GROWN_UP_S = 10.0


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep running: its name, command, additional environment and working folder.

    `ends_last`: others need it until they have ended.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    ends_last: bool = False


@dataclass(slots=True)
class _Kept:
    child: Child
    process: subprocess.Popen[bytes]
    started_s: float
    pause_s: float = FIRST_PAUSE_S
    is_due_s: float | None = None


@dataclass(slots=True)
class Children:
    """Keeps children running until they are stopped; `restarts` counts by name what had died."""

    logs: Path
    restarts: dict[str, int] = field(default_factory=dict)
    _kept: dict[str, _Kept] = field(default_factory=dict)

    def start(self, child: Child) -> None:
        """Start one child; its output goes to `<logs>/<name>.log`."""
        self.adopt(child, self._begin(child))

    def adopt(self, child: Child, process: subprocess.Popen[bytes]) -> None:
        """Keep a child running that somebody else has started."""
        self._kept[child.name] = _Kept(child, process, clock.monotonic_s())

    async def keep_running(self) -> None:
        """Start again what has died, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for kept in list(self._kept.values()):
                if kept.process.poll() is not None:
                    self._again(kept)

    def pids(self) -> dict[str, int]:
        """Give the process ids by name."""
        return {name: kept.process.pid for name, kept in self._kept.items()}

    def stop(self) -> None:
        """End all children: politely first, by force after ten seconds."""
        kept = list(self._kept.values())
        self._kept.clear()
        for last in (False, True):
            _end([each.process for each in kept if each.child.ends_last is last])

    def _again(self, kept: _Kept) -> None:
        now_s = clock.monotonic_s()
        if kept.is_due_s is None:
            lived_s = now_s - kept.started_s
            kept.pause_s = (
                FIRST_PAUSE_S if lived_s > GROWN_UP_S else min(kept.pause_s * 2, LONGEST_PAUSE_S)
            )
            kept.is_due_s = now_s + kept.pause_s
        if now_s >= kept.is_due_s:
            name = kept.child.name
            self.restarts[name] = self.restarts.get(name, 0) + 1
            kept.process, kept.started_s, kept.is_due_s = self._begin(kept.child), now_s, None

    def _begin(self, child: Child) -> subprocess.Popen[bytes]:
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{child.name}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - every argument is ours, no shell is involved
                list(child.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=child.folder,
                env={**os.environ, **child.environment},
                # Ctrl-C goes to the parent alone, which ends its children in order.
                start_new_session=True,
            )


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGTERM)
    deadline_s = clock.monotonic_s() + STOP_TIMEOUT_S
    for process in processes:
        try:
            process.wait(max(0.0, deadline_s - clock.monotonic_s()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
