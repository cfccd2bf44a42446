"""Waiting for something to be so, and no longer than a person would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from infra import clock

LOOK_EVERY_S = 0.5
PATIENCE_S = 600.0

_T = TypeVar("_T")


async def until_found(look: Callable[[], Awaitable[_T | None]], what: str) -> _T:
    """Look again and again until something is found; raises TimeoutError naming `what` was awaited."""
    until_s = clock.monotonic_s() + PATIENCE_S
    while clock.monotonic_s() < until_s:
        found = await look()
        if found is not None:
            return found
        await asyncio.sleep(LOOK_EVERY_S)
    raise TimeoutError(f"Waited {PATIENCE_S:.0f} s until {what}.")
