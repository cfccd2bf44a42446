"""Lease tokens for a whole process: asks that come together go to the database together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from app.connections.budget import Ask, BudgetKey, Lease, lease_tokens, make_budgets
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.ids import new_id
from infra.telemetry.tell_fault import tell_fault

# Asks of this time share one statement; nobody notices, because grants are renewed before they end.
GATHER_S = 0.003
MOST_AT_ONCE = 500


@dataclass(slots=True)
class _Waiting:
    """One budget's turn: `compose` says what to ask at the very moment of asking."""

    compose: Callable[[], Ask]
    take: Callable[[Ask, Lease | None], None]
    done: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Lessor:
    """Brings asks to the book and leases back; one statement at a time is under way.

    `run` must be running for anything to be leased.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._worker = new_id().hex[-12:]
        self._waiting: dict[BudgetKey, _Waiting] = {}
        self._known: set[BudgetKey] = set()
        self._asked = asyncio.Event()

    def ask(
        self,
        key: BudgetKey,
        compose: Callable[[], Ask],
        take: Callable[[Ask, Lease | None], None],
    ) -> asyncio.Future[None]:
        """Ask for one budget; the future is done when `take` got the lease (None: no book).

        Whoever gives up waiting stops nothing: what was granted is taken all the same.
        """
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = _Waiting(compose, take)
            self._asked.set()
        return waiting.done

    async def run(self) -> None:
        """Lease until cancelled."""
        while True:
            await self._asked.wait()
            await asyncio.sleep(GATHER_S)
            await self.flush()

    async def flush(self) -> None:
        """Bring everything that was asked to the book."""
        self._asked.clear()
        while self._waiting:
            keys = list(self._waiting)[:MOST_AT_ONCE]
            turns = {key: self._waiting.pop(key) for key in keys}
            asks = {key: turn.compose() for key, turn in turns.items()}
            leases = await self._lease(asks)
            for key, turn in turns.items():
                turn.take(asks[key], leases.get(key))
                if not turn.done.done():
                    turn.done.set_result(None)

    async def _lease(self, asks: dict[BudgetKey, Ask]) -> dict[BudgetKey, Lease]:
        try:
            async with begin(EngineScope(), self._database) as session:
                unknown = [ask for key, ask in asks.items() if key not in self._known]
                if unknown:
                    await make_budgets(session, unknown)
                leases = await lease_tokens(session, list(asks.values()), self._worker)
        except PlatformError:
            return {}  # the book is away: what was granted before is spent, and no more
        except Exception as fault:  # noqa: BLE001 - one budget's fault must not stop the others
            tell_fault("budget.failed", fault)
            return {}
        self._known.difference_update(asks)
        self._known.update(leases)
        return leases
