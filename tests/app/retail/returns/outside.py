"""The systems around a return, emulated: each keeps its own log, by which the saga is judged.

The same key twice has its effect once and gives the same reference, as the systems promise.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from app.retail.returns.act import Task
from app.retail.returns.facts import Move
from app.retail.returns.work import (
    Authorise,
    Done,
    MoveStock,
    Outcome,
    PayRefund,
    PostReversal,
    Refused,
    ReversePoints,
    TellHistory,
    Work,
)
from connectors.canonical.returns import PayBack
from infra.ids import Id

ZERO = Decimal(0)


@dataclass(slots=True)
class Outside:
    """Payment provider, warehouse, books, loyalty and histories; `refuses` by what, how often.

    With `only_of`, what is asked for other retailers is done without a trace: tests share a database.
    """

    refuses: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    effects: dict[str, Work] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    # What others did at the till or the channel, without us.
    paid_elsewhere: list[PayBack] = field(default_factory=list)
    moved_elsewhere: list[Move] = field(default_factory=list)
    only_of: Id | None = None

    async def perform(self, task: Task) -> Outcome:
        """Take one call; a final refusal stays refused under its key."""
        if self.only_of is not None and task.tenant_id != self.only_of:
            return Done(f"ref:{task.key}")
        return self.take(task.key, task.work)

    def take(self, key: str, work: Work) -> Outcome:
        """Have the effect of a key once."""
        self.calls[key] += 1
        if key in self.effects:
            return Done(f"ref:{key}")
        name = name_of(work)
        if self.refuses[name] > 0:
            self.refuses[name] -= 1
            self.refused[key] = name
        if key in self.refused and not isinstance(work, PostReversal):
            return Refused(f"{name} says no.")
        if key in self.refused:
            del self.refused[key]
            return Refused(f"{name} says no.")
        self.effects[key] = work
        return Done(f"ref:{key}")

    def of(self, kind: type[Work]) -> list[Work]:
        """Give what had an effect, in order."""
        return [work for work in self.effects.values() if isinstance(work, kind)]

    @property
    def refunds(self) -> list[PayBack]:
        """Give all money that went back, whoever paid it."""
        ours = [work.paid for work in self.effects.values() if isinstance(work, PayRefund)]
        return [*self.paid_elsewhere, *ours]

    @property
    def refunded(self) -> Decimal:
        return sum((each.amount for each in self.refunds), ZERO)

    def paid_to(self) -> dict[str, Decimal]:
        """Sum up money by what it was paid as."""
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for each in self.refunds:
            sums[each.kind] += each.amount
        return dict(sums)

    def booked(self, prefix: str, books: Iterable[str] = ("erp", "suspense")) -> Decimal:
        """Sum up what the books hold under keys that begin so; suspense that was cleared counts once."""
        total = ZERO
        for work in self.effects.values():
            if isinstance(work, PostReversal):
                amount = sum(
                    (each for key, each in work.lines.items() if key.startswith(prefix)), ZERO
                )
                total += amount if work.book in books else ZERO
                total -= amount if work.clears and "suspense" in books else ZERO
        return total

    def stock(self) -> dict[tuple[str, str], Decimal]:
        """Give pieces by (location, state), places with nothing left out."""
        sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        ours = [
            move
            for work in self.effects.values()
            if isinstance(work, MoveStock)
            for move in work.moves
        ]
        for move in (*self.moved_elsewhere, *ours):
            sums[move.location, move.state] += move.quantity
        return {place: quantity for place, quantity in sums.items() if quantity}

    @property
    def points(self) -> int:
        return sum(work.points for work in self.effects.values() if isinstance(work, ReversePoints))


def name_of(work: Work) -> str:
    """Name a piece of work as `refuses` does: by what is asked of whom."""
    match work:
        case PayRefund():
            return f"pay:{work.paid.kind}"
        case PostReversal():
            return f"post:{work.book}"
        case TellHistory():
            return f"tell:{work.to}"
        case ReversePoints():
            return "points"
        case MoveStock():
            return "stock"
        case Authorise():
            return "authorise"
