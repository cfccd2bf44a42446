"""Waiting for what other systems do in their own time; fails with a sentence, never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

LOOK_EVERY_S = 0.01


async def until(is_so: Callable[[], Awaitable[bool]], what: str, at_most_s: float = 30) -> None:
    """Wait until a condition holds; `what` says what was waited for."""
    try:
        async with asyncio.timeout(at_most_s):
            while True:
                if await is_so():
                    return
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        raise AssertionError(f"not within {at_most_s} s: {what}") from None
