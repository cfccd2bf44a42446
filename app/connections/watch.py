"""Watch every connection from one worker: count attempts, and tell all workers when it must rest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from app.connections.breaker import FailureWindow, Sign
from app.connections.freshness import FreshMemory
from app.connections.health import (
    ConnectionHealth,
    close_breaker,
    fail_probe,
    lose_authorization,
    note_success,
    open_breaker,
    read_health,
    take_probe,
)
from app.connections.unusable import waits_for_owner
from app.connections.waking import wake_lanes
from connectors.sdk.outcome import (
    AuthorizationLost,
    Delivered,
    Duplicate,
    NotYet,
    Outcome,
    Rejected,
    RetryLater,
    Unknown,
)
from infra.clock import monotonic_s
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.ids import Id

MAX_WATCHED = 10_000
SUCCESS_NOTED_EVERY_S = 60.0

_TOO_MANY_REQUESTS = 429
_UNCONNECTED = frozenset({"target.unreachable", "target.dns", "target.tls"})
# Codes of our own side: nothing was tried, so nothing is known about the target.
_OURS = ("pace.", "breaker.", "egress.", "connection.")

_Key = tuple[Id, Id]
Leave = Literal["free", "trial", "none"]
# Which connection's trial call this task makes. Between the leave for it and the call itself lies a
# connector, which is not to know of breakers.
_TRYING: ContextVar[_Key | None] = ContextVar("trying", default=None)


@dataclass(slots=True)
class _Watched:
    window: FailureWindow
    noted_at_s: float = float("-inf")


def sign_of(outcome: Outcome) -> Sign:
    """Say how one outcome speaks for the connection as a whole."""
    match outcome:
        case Delivered() | Duplicate():
            return "worked"
        case Rejected() | NotYet() | AuthorizationLost():
            return "answered"
        case RetryLater(code=code, status=status):
            return _sign_of_trouble(code, status)
        case Unknown():
            return "failed"
    assert_never(outcome)


def _sign_of_trouble(code: str, status: int | None) -> Sign:
    if code.startswith(_OURS):
        return "silent"
    if code in _UNCONNECTED:
        return "unconnected"
    # A target that asks for patience works; the pace slows down for it.
    return "answered" if status == _TOO_MANY_REQUESTS else "failed"


class ConnectionWatch:
    """Decides before a call whether it may go, and learns from every outcome.

    Shared state is in `connection_health`; only changes are written, and one read in two seconds
    for each connection in use.
    """

    def __init__(self, database: Database, *, clock_s: Callable[[], float] = monotonic_s) -> None:
        self._database = database
        self._clock_s = clock_s
        self._watched: OrderedDict[_Key, _Watched] = OrderedDict()
        self._known: FreshMemory[_Key, ConnectionHealth] = FreshMemory(self._read, clock_s=clock_s)

    async def may_call(self, tenant_id: Id, connection_id: Id) -> bool:
        """Say whether a call may go now; for a resting connection only one trial call may.

        Whoever gets True from a resting connection must report its outcome to `learn`.
        """
        health = await self._known.get((tenant_id, connection_id))
        if health.state == "closed":
            return True
        async with begin(EngineScope(), self._database) as session:
            is_mine = await take_probe(session, tenant_id, connection_id)
            if not is_mine:
                health = await read_health(session, tenant_id, connection_id)
        self._known.forget((tenant_id, connection_id))
        if is_mine:
            _TRYING.set((tenant_id, connection_id))
        return is_mine or health.state == "closed"

    async def leave(self, tenant_id: Id, connection_id: Id) -> Leave:
        """Say, right before a call, whether it may go.

        A call for which nobody asked before (a poll) may win the trial itself: `trial`. Then its
        outcome must be told to `learn`.
        """
        key = (tenant_id, connection_id)
        if (await self._known.get(key)).state == "closed" or _TRYING.get() == key:
            return "free"
        if not await self.may_call(tenant_id, connection_id):
            return "none"
        return "trial" if _TRYING.get() == key else "free"

    async def learn(self, tenant_id: Id, connection_id: Id, outcome: Outcome) -> None:
        """Take one outcome into account; safe to call for outcomes in any order."""
        key = (tenant_id, connection_id)
        if _TRYING.get() == key:
            _TRYING.set(None)
        if waits_for_owner(outcome):
            async with begin(EngineScope(), self._database) as session:
                await lose_authorization(session, tenant_id, connection_id, _reason(outcome))
            self._moved(key)
            return
        sign = sign_of(outcome)
        if (await self._known.get(key)).state != "closed":
            await self._end_probe(key, sign, outcome)
        elif self._of(key).window.note(sign):
            async with begin(EngineScope(), self._database) as session:
                await open_breaker(session, tenant_id, connection_id, _reason(outcome))
            self._moved(key)
        if sign == "worked":
            await self._note_success(key)

    async def _end_probe(self, key: _Key, sign: Sign, outcome: Outcome) -> None:
        if sign == "silent":
            return
        works = sign in ("worked", "answered")
        async with begin(EngineScope(), self._database) as session:
            if works:
                since = await close_breaker(session, *key)
            else:
                since = None
                await fail_probe(session, *key, _reason(outcome))
        self._moved(key)
        if since is not None:
            await self._wake(key, since)

    async def _wake(self, key: _Key, since: datetime) -> None:
        """Let what waited go, some thousand lanes at a time; the target takes them at its own pace."""
        after: bytes | None = b""
        while after is not None:
            async with begin(EngineScope(), self._database) as session:
                after = await wake_lanes(session, *key, since, after)

    async def _note_success(self, key: _Key) -> None:
        watched = self._of(key)
        if self._clock_s() - watched.noted_at_s < SUCCESS_NOTED_EVERY_S:
            return
        watched.noted_at_s = self._clock_s()
        async with begin(EngineScope(), self._database) as session:
            await note_success(session, *key)

    def _moved(self, key: _Key) -> None:
        self._known.forget(key)
        self._of(key).window.clear()

    def _of(self, key: _Key) -> _Watched:
        watched = self._watched.get(key)
        if watched is None:
            watched = self._watched[key] = _Watched(FailureWindow(self._clock_s))
        self._watched.move_to_end(key)
        while len(self._watched) > MAX_WATCHED:
            self._watched.popitem(last=False)
        return watched

    async def _read(self, key: _Key) -> ConnectionHealth:
        async with begin(EngineScope(), self._database) as session:
            return await read_health(session, *key)


def _reason(outcome: Outcome) -> str:
    return getattr(outcome, "words", "")
