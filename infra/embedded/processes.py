"""Finds and ends the processes of one server.

A process belongs to a server when it works in the server's folder. A pid file alone proves nothing:
after a crash or a reboot its number may belong to a stranger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

POLL_S = 0.01


def server_process(pid_file: Path, folder: Path) -> psutil.Process | None:
    """Give the live process that a pid file names, if it really works in this folder."""
    try:
        process = psutil.Process(int(pid_file.read_text("utf-8").split()[0]))
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return None
    return process if _works_in(process, folder) else None


def processes_in(folder: Path) -> list[psutil.Process]:
    """List every live process that works in this folder, whoever started it."""
    return [process for process in psutil.process_iter() if _works_in(process, folder)]


def with_children(process: psutil.Process) -> list[psutil.Process]:
    """List a server process and all its children, the server first."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return [process]


def kill(processes: Sequence[psutil.Process], timeout_s: float = 10) -> None:
    """End processes without asking (SIGKILL), in the given order, and wait until they are gone."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    wait_until(lambda: not any(is_alive(process) for process in processes), timeout_s)


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process still runs; one that only waits to be reaped does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(is_reached: Callable[[], bool], timeout_s: float) -> bool:
    """Wait for a state of another process; gives False when it is not reached in time."""
    deadline = time.monotonic() + timeout_s
    while not is_reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return is_alive(process) and Path(process.cwd()) == folder
    except (psutil.Error, OSError):
        # Of another user, or ended between the two questions: not ours either way.
        return False
