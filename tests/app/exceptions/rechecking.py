"""A shop whose target can be asked, and the loop that asks it, one round at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.connections.transports import Transports
from app.connections.watch import ConnectionWatch
from app.deliveries.send import Sender
from app.exceptions.recheck.loop import Recheck, RecheckParts
from app.flows.adjust import Adjuster
from tests.stage import Stage

LOOKUP_PATH = "/records/{key}"


@asynccontextmanager
async def rechecking(stage: Stage) -> AsyncIterator[Recheck]:
    """Set up the loop as a worker has it; nothing runs until a round is asked for."""
    transports = Transports(stage.egress, stage.database, ConnectionWatch(stage.database))
    sender = Sender(
        stage.connections,
        Adjuster(stage.database),
        transports.of,
        stage.settings.call_deadline_s,
    )
    parts = RecheckParts(
        stage.database, stage.vault, stage.connections, stage.routes, sender, lambda: None
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(transports.run())
        yield Recheck(parts)
        running.cancel()
