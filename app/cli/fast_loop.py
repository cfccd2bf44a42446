"""The event loop of processes that move many records."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from uvicorn.loops.auto import auto_loop_factory


def run_to_end(process: Coroutine[Any, Any, None]) -> None:
    """Run a process on uvloop where it is there: uvicorn chooses a loop only when it makes its own."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(process)
