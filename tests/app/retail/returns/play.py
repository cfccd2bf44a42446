"""Play a return to its end, with a process that may die once and is started again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.retail.returns.decide import NotAsked, decide
from app.retail.returns.observe import observe_facts
from app.retail.returns.progress import Pace, Progress
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id, new_id
from tests.app.retail.returns.killing import Killed, KillingDatabase, When
from tests.app.retail.returns.outside import Outside
from tests.app.retail.returns.shapes import Shape

# A dead worker's lease is over at once, and everything is repeated at once.
AT_ONCE = Pace(lease_s=0.0, repeat_s=(0.0,))
MOST_ROUNDS = 60
_OPEN = (
    "select return_id, question, subject from return_decision"
    " where decided_at is null and withdrawn_at is null"
)


@dataclass(slots=True)
class Played:
    """What came of it."""

    status: str
    breaks: list[str]
    outside: Outside
    commits: list[frozenset[str]]
    was_killed: bool


class Player:
    """One return on one stage."""

    def __init__(
        self, database: Database, tenant_id: Id, shape: Shape, kill: tuple[int, When] | None
    ) -> None:
        self.real, self.shape = database, shape
        at, when = kill or (None, "before")
        self.killing = KillingDatabase(database, at, when)
        self.current = self.killing.database
        self.scope = TenantScope(tenant_id, "Ada")
        self.source_key = f"shop/{new_id()}"
        self.return_id: Id | None = None
        self.was_killed = False
        self.outside = Outside(
            shape.refuses.copy(),
            paid_elsewhere=list(shape.paid_elsewhere),
            moved_elsewhere=list(shape.moved_elsewhere),
        )

    async def play(self) -> Played:
        """Play the whole shape; whoever was cut off does the same again with a new process."""
        for part in self.shape.told:
            if part == "run":
                await self._surely(self._run_until_quiet)
            elif part == "limits":
                await self._surely(lambda: self._progress().pass_limits())
            else:
                await self._surely(lambda told=part: self._tell(told))  # type: ignore[misc]
        await self._surely(self._to_the_end)
        async with begin(self.scope, self.real) as session:
            row = await session.fetch_one(
                "select status, breaks from return_process where tenant_id = $1 and source_key = $2",
                self.scope.tenant_id,
                self.source_key,
            )
        assert row is not None
        return Played(
            row["status"], row["breaks"], self.outside, self.killing.steps, self.was_killed
        )

    async def _surely(self, act: Callable[[], Awaitable[object]]) -> None:
        try:
            await act()
        except Killed:
            self.was_killed = True
            self.current = self.real
            await act()

    def _progress(self) -> Progress:
        return Progress(self.current, self.outside, AT_ONCE)

    async def _tell(self, facts: list) -> None:  # type: ignore[type-arg]
        await observe_facts(self.scope, self.current, self.source_key, facts)

    async def _run_until_quiet(self) -> None:
        for _ in range(MOST_ROUNDS):
            if not await self._progress().run_due():
                return
        raise AssertionError("the return never comes to rest")

    async def _to_the_end(self) -> None:
        for _ in range(MOST_ROUNDS):
            await self._run_until_quiet()
            if not await self._answer_all():
                return
        raise AssertionError("the questions never end")

    async def _answer_all(self) -> int:
        async with begin(self.scope, self.real) as session:
            rows = await session.fetch(_OPEN)
        for row in rows:
            asked = (row["question"], row["subject"])
            choice = self.shape.answers[row["question"]]
            try:
                await decide(self.scope, self.current, row["return_id"], asked, choice)
            except NotAsked:
                continue
        return len(rows)
