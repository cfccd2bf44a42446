"""A long step in a program of its own: followed while it runs, ended when the caller gives up."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connectors.catalog.tryton.local.failure import LocalTrytonError

LOOK_EVERY_S = 0.2
STOP_TIMEOUT_S = 5
TOLD_CHARACTERS = 600


def _says_nothing(_: str) -> None:
    """Follow nothing."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Watch:
    """How a caller follows long steps: `moved` hears where a step is, `is_given_up` is asked often.

    `environment` is added to that of every program that is started.
    """

    moved: Callable[[str], None] = _says_nothing
    is_given_up: Callable[[], bool] = _never
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """A command, what it is called in a refusal, where its output goes, how long it may take.

    `where` reads the output so far and says where the step is.
    """

    name: str
    command: Sequence[str]
    log: Path
    timeout_s: float
    environment: Mapping[str, str] = field(default_factory=dict)
    where: Callable[[str], str] = lambda _: ""


def run_step(step: Step, watch: Watch) -> None:
    """Run a step to its end; raises LocalTrytonError with the end of its output when it fails."""
    with step.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - every argument is ours, no shell is involved
            list(step.command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **watch.environment, **step.environment},
            # Ctrl-C goes to the caller alone, who gives up in order.
            start_new_session=True,
        )
    try:
        _follow(process, step, watch)
    finally:
        _end(process)
    if process.returncode:
        raise LocalTrytonError(f"{step.name} failed: {_told(step)[-TOLD_CHARACTERS:].strip()}")


def _follow(process: subprocess.Popen[bytes], step: Step, watch: Watch) -> None:
    deadline = time.monotonic() + step.timeout_s
    while process.poll() is None:
        if watch.is_given_up():
            raise LocalTrytonError(f"{step.name} was given up. The next start begins it again.")
        if time.monotonic() > deadline:
            raise LocalTrytonError(f"{step.name} took longer than {step.timeout_s:.0f} s.")
        watch.moved(step.where(_told(step)))
        time.sleep(LOOK_EVERY_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _told(step: Step) -> str:
    return step.log.read_text("utf-8", errors="replace")
