"""A worker that stands still, or takes too much memory, ends itself and says where it stood."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass

import pytest

from app.processes.bounds import MEGABYTE
from app.processes.watchdog import limit_of

LIMIT_S = 0.5
WATCHDOG_EXIT = 1
SECRET = "no-value-of-ours-is-written"
_STANDS_STILL = f"""
import asyncio, re, time
from app.processes.watchdog import keep_watch

async def stand_still(payload):
    {{deed}}

async def main():
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(keep_watch({LIMIT_S}))
        await asyncio.sleep({LIMIT_S} * 2)
        print("well so far", flush=True)
        await stand_still("{SECRET}")
        watching.cancel()

asyncio.run(main())
print("ended in order", flush=True)
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: exit code (negative: the signal), and what it said."""

    code: int
    out: str
    err: str


@pytest.mark.parametrize(
    "deed",
    [
        "time.sleep(60)",
        "exec('while True: pass')",
        "re.match('(?:a+)+$', 'a' * 60 + 'b')",
    ],
)
async def test_a_worker_whose_loop_stands_still_ends_and_says_where_without_any_value(
    deed: str,
) -> None:
    ended = await _run(_STANDS_STILL.format(deed=deed))

    assert (ended.code, ended.out) == (WATCHDOG_EXIT, "well so far\n")
    assert "Timeout" in ended.err
    assert "in stand_still" in ended.err
    assert SECRET not in ended.err


async def test_a_loop_that_comes_round_is_left_alone() -> None:
    ended = await _run(_STANDS_STILL.format(deed=f"await asyncio.sleep({LIMIT_S} * 3)"))

    assert (ended.code, ended.out, ended.err) == (0, "well so far\nended in order\n", "")


async def test_an_allocation_beyond_the_bound_fails_and_the_process_goes_on() -> None:
    ended = await _run(
        "from app.processes.bounds import bound_process\n"
        "bound_process(512)\n"
        f"fits = bytearray(100 * {MEGABYTE})\n"
        "try:\n"
        f"    bytearray(4096 * {MEGABYTE})\n"
        "except MemoryError:\n"
        "    print('refused')\n"
    )

    assert (ended.code, ended.out, ended.err) == (0, "refused\n", "")


async def test_a_process_that_aborts_leaves_no_core_file_of_its_memory() -> None:
    ended = await _run(
        "import os, resource\n"
        "from app.processes.bounds import bound_process\n"
        "bound_process(0)\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE))\n"
        "import sys; sys.stdout.flush(); os.abort()\n"
    )

    assert (ended.code, ended.out) == (-signal.SIGABRT, "(0, 0)\n")


@pytest.mark.parametrize(
    ("watchdog_s", "lease_s", "limit_s"), [(20, 30, 20), (20, 3, 2), (1, 3, 1), (0, 30, 0)]
)
def test_a_stalled_worker_is_gone_before_its_leases_end(
    watchdog_s: float, lease_s: float, limit_s: float
) -> None:
    assert limit_of(watchdog_s, lease_s) == limit_s


async def _run(source: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        source,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())
