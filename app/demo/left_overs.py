"""Processes that a demo left behind when it was killed: found by their mark, and ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

MARK = "TILLWIRE_DEMO_FOLDER"
PATIENCE_S = 5.0


def mark_of(data: Path) -> dict[str, str]:
    """Give the environment that says to which demo a process belongs."""
    return {MARK: str(data.resolve())}


def end_left_overs(data: Path) -> int:
    """End what an earlier demo on this folder started and could not end; gives their number.

    Only for who holds the folder: then nobody needs them. Safe to repeat.
    """
    found = list(_marked(str(data.resolve())))
    for process in found:
        _signal(process, by_force=False)
    _, alive = psutil.wait_procs(found, PATIENCE_S)
    for process in alive:
        _signal(process, by_force=True)
    psutil.wait_procs(alive, PATIENCE_S)
    return len(found)


def _marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                yield process
        except (psutil.Error, OSError):
            continue  # of another user, or ended between the two questions


def _signal(process: psutil.Process, *, by_force: bool) -> None:
    try:
        (process.kill if by_force else process.terminate)()
    except psutil.NoSuchProcess:
        return
