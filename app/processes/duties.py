"""Duties of the scheduler as rows with a lease: many schedulers may run, each duty is done by one.

A duty runs in transactions of its own, as long as it takes; its lease is renewed meanwhile. A
scheduler that dies leaves its duties to the others when the leases end. Done twice at the same time
(a scheduler that was frozen and comes back) a duty must be harmless.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Row, begin
from infra.errors import PlatformError
from infra.telemetry.tell_fault import tell_fault

LEASE_S = 30.0
# What another scheduler does is looked at again after this, to notice that it died.
LOOK_AGAIN_S = 15.0
# Two schedulers out of step do a duty once in its time, not twice.
SHARE_OF_PERIOD = 0.8

_TAKE = """
insert into duty as known (name, holder, leased_until)
values ($1, $2, now() + make_interval(secs => $3))
on conflict (name) do update
set holder = excluded.holder, leased_until = excluded.leased_until
where (known.leased_until is null or known.leased_until <= now())
    and coalesce(known.last_done_at - make_interval(secs => known.last_took_ms / 1000.0)
        <= now() - make_interval(secs => $4), true)
"""
_RENEW = """
update duty set leased_until = now() + make_interval(secs => $3) where name = $1 and holder = $2
"""
_DONE = """
update duty set holder = '', leased_until = null, last_problem = $3,
    last_took_ms = case when $3 = '' then $4 else last_took_ms end,
    last_done_at = case when $3 = '' then now() else last_done_at end
where name = $1 and holder = $2
"""


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do again and again: its name, how often (seconds), and how."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[object]]


class Duties:
    """Does duties side by side, each when it is due and nobody else is at it."""

    def __init__(
        self, todo: Sequence[Duty], holder: str, database: Database, *, lease_s: float = LEASE_S
    ) -> None:
        self._todo = todo
        self._holder = holder
        self._database = database
        self._lease_s = lease_s

    async def run(self) -> None:
        """Work until cancelled; a duty under way is given back, not finished."""
        async with asyncio.TaskGroup() as tasks:
            for duty in self._todo:
                tasks.create_task(self._again_and_again(duty))

    async def do(self, duty: Duty) -> bool:
        """Do one duty if it is due and nobody is at it; says whether it was done or tried."""
        try:
            if not await self._take(duty):
                return False
            started_s = clock.monotonic_s()
            problem = "interrupted"
            try:
                problem = await self._leased(duty)
            finally:
                took_ms = round((clock.monotonic_s() - started_s) * 1000)
                await self._write(_DONE, duty, problem, took_ms)
        except PlatformError:
            return False  # the book is away; the lease ends by itself
        except Exception as fault:  # noqa: BLE001 - one duty's fault must not end the others
            tell_fault("duty.failed", fault, case=duty.name)
            return False
        return True

    async def _again_and_again(self, duty: Duty) -> None:
        while True:
            started_s = clock.monotonic_s()
            is_mine = await self.do(duty)
            pause_s = duty.every_s if is_mine else min(duty.every_s, LOOK_AGAIN_S)
            await asyncio.sleep(max(0.0, started_s + pause_s - clock.monotonic_s()))

    async def _leased(self, duty: Duty) -> str:
        """Run a duty while its lease is renewed; gives what went wrong, in a word."""
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(_run(duty))
            renewing = tasks.create_task(self._renew_until_lost(duty))
            await asyncio.wait({work, renewing}, return_when=asyncio.FIRST_COMPLETED)
            renewing.cancel()
            work.cancel()  # nothing, if it is done
        return "lease.lost" if work.cancelled() else work.result()

    async def _renew_until_lost(self, duty: Duty) -> None:
        """Renew a lease; returns when another scheduler has it, or may have it by now."""
        sure_until_s = clock.monotonic_s() + self._lease_s
        while clock.monotonic_s() < sure_until_s:
            await asyncio.sleep(self._lease_s / 3)
            with contextlib.suppress(PlatformError):
                asked_s = clock.monotonic_s()
                if not await self._write(_RENEW, duty, self._lease_s):
                    return
                sure_until_s = asked_s + self._lease_s

    async def _take(self, duty: Duty) -> bool:
        taken = await self._write(_TAKE, duty, self._lease_s, duty.every_s * SHARE_OF_PERIOD)
        return bool(taken)

    async def _write(self, sql: str, duty: Duty, *further: object) -> int:
        async with begin(EngineScope(), self._database) as session:
            return await session.execute(sql, duty.name, self._holder, *further)


async def _run(duty: Duty) -> str:
    try:
        await duty.run()
    except PlatformError as refusal:
        return refusal.code
    except Exception as fault:  # noqa: BLE001 - one duty's fault must not end the others
        tell_fault("duty.failed", fault, case=duty.name)
        return type(fault).__name__
    return ""


async def list_duties(database: Database) -> list[Row]:
    """Give all duties ever done, by name: who is at it until when, and how the last time went."""
    async with begin(EngineScope(), database) as session:
        return await session.fetch(
            "select name, holder, leased_until, last_done_at, last_took_ms, last_problem"
            " from duty order by name"
        )
