"""Turns: which worker publishes to which channel now, so that a channel has one path (law L6).

A turn is a lease with a token. `due_at` of a held turn is the end of its lease: what a killed worker
leaves comes due by itself. Whoever has news for a channel sets `due_at` to now; the holder sees that
and moves it on before it reads, so that no news is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Row, begin
from infra.ids import Id

# Longer than the longest call, so that a call ends before anybody else may begin one.
LEASE_S = 10.0
RENEW_EVERY_S = 2.0

# Of the clock, not of the transaction: news that came meanwhile must not look like the future.
_CLAIM = """
with due as (
    select tenant_id, connection_id from channel_turn
    where due_at <= clock_timestamp() and (leased_until is null or leased_until <= clock_timestamp())
    order by due_at limit $2 for update skip locked
)
update channel_turn turn set token = turn.token + 1, holder = $1,
    leased_until = clock_timestamp() + $3 * interval '1 second',
    due_at = clock_timestamp() + $3 * interval '1 second'
from due where (turn.tenant_id, turn.connection_id) = (due.tenant_id, due.connection_id)
returning turn.tenant_id, turn.connection_id, turn.token
"""
_NEWS = """
with told as (
    select tenant_id, connection_id from channel_turn
    where due_at <= clock_timestamp() and holder = $1 and leased_until > clock_timestamp()
    for update skip locked
)
update channel_turn turn set due_at = turn.leased_until
from told where (turn.tenant_id, turn.connection_id) = (told.tenant_id, told.connection_id)
returning turn.tenant_id, turn.connection_id, turn.token
"""
_RENEW = """
update channel_turn set leased_until = clock_timestamp() + $2 * interval '1 second',
    due_at = case when due_at <= clock_timestamp() then due_at
        else clock_timestamp() + $2 * interval '1 second' end
where holder = $1 and leased_until > clock_timestamp()
returning tenant_id, connection_id, token
"""
_RELEASE = """
update channel_turn set holder = '', leased_until = null,
    due_at = case when due_at <= clock_timestamp() then due_at
        else coalesce(clock_timestamp() + $5 * interval '1 second', 'infinity') end
where tenant_id = $1 and connection_id = $2 and token = $3 and holder = $4
"""

Channel = tuple[Id, Id]


@dataclass(slots=True)
class Turn:
    """One channel in this worker's hands, until `until_s` of the monotonic clock."""

    tenant_id: Id
    connection_id: Id
    token: int
    until_s: float

    @property
    def channel(self) -> Channel:
        """Name the channel."""
        return (self.tenant_id, self.connection_id)

    def lasts(self, needed_s: float) -> bool:
        """Say whether the lease lasts for something that takes so long."""
        return clock.monotonic_s() + needed_s < self.until_s


class Turns:
    """The turns of one worker; `holder` names it and is used by no other process."""

    def __init__(self, database: Database, holder: str, lease_s: float = LEASE_S) -> None:
        self._database = database
        self._holder = holder
        self._lease_s = lease_s

    async def claim(self, most: int) -> list[Turn]:
        """Take channels that are due and in nobody's hands, those that wait longest first."""
        rows, until_s = await self._leased(_CLAIM, self._holder, most, self._lease_s)
        return [Turn(*_channel(row), row["token"], until_s) for row in rows]

    async def news(self) -> set[Channel]:
        """Name the channels in our hands for which something new was written."""
        async with begin(EngineScope(), self._database) as session:
            return {_channel(row) for row in await session.fetch(_NEWS, self._holder)}

    async def renew(self, held: list[Turn]) -> None:
        """Prolong what is ours; a turn that another took is over at once."""
        rows, until_s = await self._leased(_RENEW, self._holder, self._lease_s)
        ours = {(_channel(row), row["token"]) for row in rows}
        for turn in held:
            turn.until_s = until_s if (turn.channel, turn.token) in ours else float("-inf")

    async def release(self, turn: Turn, again_s: float | None) -> None:
        """Give a channel back; it comes due again after so many seconds, or with the next news."""
        async with begin(EngineScope(), self._database) as session:
            await session.execute(_RELEASE, *turn.channel, turn.token, self._holder, again_s)

    async def _leased(self, sql: str, *args: object) -> tuple[list[Row], float]:
        # Counted from before the question: the lease as we know it ends before the real one.
        until_s = clock.monotonic_s() + self._lease_s
        async with begin(EngineScope(), self._database) as session:
            return await session.fetch(sql, *args), until_s


def _channel(row: Row) -> Channel:
    return (row["tenant_id"], row["connection_id"])
