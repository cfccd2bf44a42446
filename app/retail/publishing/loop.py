"""The publisher of one worker: takes turns at channels that are due, a bounded number at one time."""

from __future__ import annotations

import asyncio
import contextlib

from app.retail.publishing.path import ChannelPath, PublishingParts
from app.retail.publishing.tell import CALL_DEADLINE_S
from app.retail.publishing.turns import RENEW_EVERY_S, Channel, Turn, Turns
from infra import clock
from infra.errors import PlatformError
from infra.ids import new_id
from infra.telemetry.events import log_event
from infra.telemetry.tell_fault import tell_fault
from infra.wake import Wake

# Most of them rest or wait for their quota; what they need of the database is little.
CHANNELS_AT_ONCE = 256
# News that another process wrote are found by looking, this often.
LOOK_S = 0.05
REST_AFTER_FAULT_S = 30.0
BOOK_AWAY_S = 1.0


class Publisher:
    """Brings what channels show to what they may show; any number of workers may run one.

    `wake` is rung by whoever writes new targets in this process; others are found by looking.
    """

    def __init__(self, parts: PublishingParts, worker: str, wake: Wake) -> None:
        self._parts = parts
        # Not the worker's name alone: in a container the next process has the same one.
        self._turns = Turns(parts.database, f"{worker}:{new_id()}")
        self._wake = wake
        self._paths: dict[Channel, ChannelPath] = {}
        self._renewed_s = float("-inf")

    async def run(self) -> None:
        """Publish until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                # Without the book there is nothing to publish from; leases end by themselves.
                with contextlib.suppress(PlatformError):
                    await self._round(tasks)
                await self._wake.wait(LOOK_S)

    async def _round(self, tasks: asyncio.TaskGroup) -> None:
        if self._paths:
            for channel in await self._turns.news():
                if channel in self._paths:
                    self._paths[channel].tell_news()
            await self._renew()
        free = CHANNELS_AT_ONCE - len(self._paths)
        for turn in await self._turns.claim(free) if free > 0 else ():
            path = self._paths[turn.channel] = ChannelPath(self._parts, turn)
            tasks.create_task(self._walk(path))

    async def _renew(self) -> None:
        if clock.monotonic_s() - self._renewed_s < RENEW_EVERY_S:
            return
        await self._turns.renew([path.turn for path in self._paths.values()])
        self._renewed_s = clock.monotonic_s()

    async def _walk(self, path: ChannelPath) -> None:
        """Walk one path to its end, and give its turn back whatever happens."""
        turn, began_s = path.turn, clock.monotonic_s()
        # Cut off in the middle: a call that may still be on its way must land before the next one.
        again_s: float | None = CALL_DEADLINE_S
        try:
            again_s = await path.run()
        except* PlatformError:
            again_s = BOOK_AWAY_S
        except* Exception as faults:  # noqa: BLE001 - one channel's fault must not stop the others
            again_s = REST_AFTER_FAULT_S
            tell_fault("channel.failed", faults.exceptions[0], tenant=str(turn.tenant_id))
        finally:
            if self._paths.get(turn.channel) is path:
                del self._paths[turn.channel]
            # What cannot be given back is free when its lease ends.
            with contextlib.suppress(PlatformError):
                await self._turns.release(turn, again_s)
        if path.told:
            self._tell(turn, path.told, began_s)

    def _tell(self, turn: Turn, told: int, began_s: float) -> None:
        log_event(
            "channel.published",
            tenant=str(turn.tenant_id),
            connection=str(turn.connection_id),
            count=told,
            took_ms=round((clock.monotonic_s() - began_s) * 1000),
        )
