"""The edge of the saga: whoever performs a piece of work in another system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.retail.returns.work import Outcome, Work
from connectors.canonical.returns import Return
from infra.ids import Id


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work; `key` is the same at every attempt and goes to the other system as it is.

    `refusals` counts how often it was refused and is tried all the same; `issued_at` is when it was
    first wanted (UTC). `was_paid_by_others`: a till or channel told of money that it gave back.
    """

    tenant_id: Id
    return_id: Id
    key: str
    work: Work
    request: Return
    has_receipt: bool
    rma: str
    refusals: int
    issued_at: datetime
    was_paid_by_others: bool


class Act(Protocol):
    """Performs work. The same key twice must have its effect once and give the same reference."""

    async def perform(self, task: Task) -> Outcome:
        """Do it, and say what became of it as a value; a timeout is `Later`."""
        ...
