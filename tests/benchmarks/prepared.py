"""Wait until everything that was told is read, without pressing for the few connections there are."""

from __future__ import annotations

import asyncio
import contextlib

from infra.errors import PlatformError
from tests.stage import Retailer, Stage

LOOK_EVERY_S = 0.3
AT_MOST_S = 900.0
_WAITING = "select count(*) as count from message where state = 'received'"


async def until_prepared(stage: Stage, retailer: Retailer) -> None:
    """Run an engine until no message waits to be read; raises TimeoutError."""
    async with stage.engine(), asyncio.timeout(AT_MOST_S):
        while True:
            with contextlib.suppress(PlatformError):
                (row,) = await stage.rows(retailer, _WAITING)
                if not row["count"]:
                    return
            await asyncio.sleep(LOOK_EVERY_S)
