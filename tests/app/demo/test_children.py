"""Children of the demo: started again when they die, ended together, found again after kill -9."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from app.demo.beside import beside
from app.demo.children import Child, Children
from app.demo.left_overs import end_left_overs, mark_of

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while True:
            if reached():
                return
            await asyncio.sleep(0.01)


async def test_killed_child_is_started_again_and_counted(tmp_path: Path) -> None:
    children = Children(tmp_path)
    children.start(Child("worker", FOREVER))
    first = children.pids()["worker"]

    async with beside(children.keep_running()):
        os.kill(first, signal.SIGKILL)
        await until(lambda: children.pids()["worker"] != first)
    second = children.pids()["worker"]
    children.stop()

    assert children.restarts == {"worker": 1}
    assert not psutil.pid_exists(second)


async def test_child_that_others_need_ends_last(tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = (
        "import signal, sys, pathlib\n"
        "def end(*_):\n"
        "    with open(sys.argv[1], 'a') as file: file.write(sys.argv[2])\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "pathlib.Path(sys.argv[1] + sys.argv[2]).touch()\n"
        "while True: signal.pause()\n"
    )
    children = Children(tmp_path)
    for name, ends_last in (("E", True), ("W", False)):
        command = [sys.executable, "-c", script, str(told), name]
        children.start(Child(name, command, ends_last=ends_last))
    await until(lambda: all(Path(f"{told}{name}").exists() for name in "EW"))

    children.stop()

    assert told.read_text() == "WE"


def test_what_a_killed_run_left_behind_is_ended_and_nothing_else(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    processes = {
        folder: subprocess.Popen(FOREVER, env={**os.environ, **mark_of(folder)})
        for folder in (ours, theirs)
    }

    ended = end_left_overs(ours)

    assert ended == 1
    assert processes[ours].poll() is not None
    assert processes[theirs].poll() is None
    processes[theirs].kill()
    processes[theirs].wait()


@pytest.mark.parametrize("child", [Child("once", [sys.executable, "-c", "raise SystemExit(1)"])])
async def test_child_that_dies_young_is_started_at_growing_intervals(
    tmp_path: Path, child: Child
) -> None:
    children = Children(tmp_path)
    children.start(child)

    async with beside(children.keep_running()):
        await until(lambda: children.restarts.get("once", 0) == 2)
    pause_s = children._kept["once"].pause_s
    children.stop()

    assert pause_s >= 0.8
