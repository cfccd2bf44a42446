"""Work performed by deliveries: each piece is said as an event, and its deliveries' end is its outcome.

So it is routed by flows, repeated, held, released and counted in the books like any other record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.retail.returns.act import Task
from app.retail.returns.ask import by_hand, event_of, wish_of
from app.retail.returns.terms import terms_of
from app.retail.returns.work import (
    CAN_BE_REFUSED,
    Authorise,
    Done,
    Later,
    Nobody,
    Outcome,
    PostReversal,
    Refused,
)
from app.retail.voice import say_each
from connectors.canonical.event import ORDER_POSTED, RETURN_REVERSAL_DUE
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.ids import Id
from infra.keys.vault import Vault

ACTOR = "system"
# The decision that we write on a hold which a return takes over: it will never be sent any more.
TAKEN_OVER = "The return decides what becomes of this."
# Classes of faults by which a system refuses this very record; all others may pass or be repaired.
REFUSALS = frozenset({"data", "duplicate"})
# The first look comes soon, later ones after a share of the age (seconds).
LOOK_AFTER_S, LOOK_AT_LATEST_S, SHARE_OF_AGE = 0.25, 60.0, 0.2

_MESSAGE = "select state, fate from message where tenant_id = $1 and id = $2"
_DELIVERIES = """
select d.id, d.state, d.external_ref, h.id as hold_id, h.error_class, h.words, h.reason
from delivery d left join lateral (
    select id, error_class, words, reason from hold h
    where h.tenant_id = d.tenant_id and h.delivery_id = d.id order by h.created_at desc limit 1
) h on true
where d.tenant_id = $1 and d.message_id = $2 order by d.id
"""
_HELD_MESSAGE = """
select words from hold where tenant_id = $1 and message_id = $2 and state = 'open'
order by created_at desc limit 1
"""
# Orders post refunds that they are told of; the same books would take them from the return as well.
_TWO_PATHS = """
select 1 from flow orders join flow returns using (tenant_id, target_connection_id)
where tenant_id = $1 and orders.is_enabled and returns.is_enabled
    and $2 = any(orders.event_types) and $3 = any(returns.event_types)
limit 1
"""
BOOKED_TWICE = (
    "Return {number}: a refund that others paid is booked with the order's own postings; a reversal"
    " would book it twice. Look into the books: if the refund is there, say that it was done. Keep"
    " one of the two flows."
)
ON_ITS_WAY = "It is on its way."
WAITS = "It is held: {words} Correct and release it under exceptions."


class GiveUp(Protocol):
    """Gives a held delivery up in the open transaction; False when somebody decided it meanwhile."""

    async def __call__(
        self, session: Session, scope: TenantScope, hold_id: Id, reason: str
    ) -> bool:
        """Decide the hold as discarded."""
        ...


@dataclass(frozen=True, slots=True)
class ByDelivery:
    """Fulfils `Act`. `give_up` closes what was refused, so that nobody releases it behind our back."""

    database: Database
    vault: Vault
    give_up: GiveUp
    ring: Callable[[], None]

    async def perform(self, task: Task) -> Outcome:
        """Say it, or look what became of it; the same key is said once."""
        scope = TenantScope(task.tenant_id, ACTOR)
        key = await self.vault.current(task.tenant_id)
        async with begin(scope, self.database) as session:
            if wish_of(task.work).task in (await terms_of(session)).elsewhere:
                return Done(f"elsewhere:{task.key}")
            if await _is_booked_twice(session, task):
                return Nobody(BOOKED_TWICE.format(number=task.request.number))
            (accepted,) = await say_each(session, key, [event_of(task)])
            if accepted.is_duplicate:
                return await self._outcome(session, scope, task, accepted.message_id)
        self.ring()
        return _later(task, ON_ITS_WAY)

    async def _outcome(
        self, session: Session, scope: TenantScope, task: Task, message_id: Id
    ) -> Outcome:
        message = await session.fetch_one(_MESSAGE, scope.tenant_id, message_id)
        if message is None or message["state"] == "received":
            return _later(task, ON_ITS_WAY)
        if message["state"] == "held":
            words = await session.fetch_value(_HELD_MESSAGE, scope.tenant_id, message_id)
            return _later(task, WAITS.format(words=words))
        rows = await session.fetch(_DELIVERIES, scope.tenant_id, message_id)
        return await self._of_deliveries(session, scope, task, rows)

    async def _of_deliveries(
        self, session: Session, scope: TenantScope, task: Task, rows: Sequence[Row]
    ) -> Outcome:
        refused = next((row for row in rows if _is_refused(row)), None)
        if refused is not None and _has_refusal(task):
            if refused["state"] == "held" and not await self.give_up(
                session, scope, refused["hold_id"], TAKEN_OVER
            ):
                return _later(task, ON_ITS_WAY)
            return Refused(refused["words"])
        held = next((row for row in rows if row["state"] == "held"), None)
        if held is not None:
            return _later(task, WAITS.format(words=held["words"]))
        if any(row["state"] in {"ready", "delivering", "waiting", "checking"} for row in rows):
            return _later(task, ON_ITS_WAY)
        done = [row["external_ref"] for row in rows if row["state"] == "delivered"]
        if done:
            return Done(next((each for each in done if each), task.key))
        return _nobody(task)


async def _is_booked_twice(session: Session, task: Task) -> bool:
    """Say whether a reversal would meet the order's own posting of the same refund in the same books."""
    is_posted = task.was_paid_by_others and task.request.order_id is not None
    if not is_posted or not isinstance(task.work, PostReversal):
        return False
    both = (task.tenant_id, ORDER_POSTED, RETURN_REVERSAL_DUE)
    return await session.fetch_value(_TWO_PATHS, *both) is not None


def _is_refused(row: Row) -> bool:
    is_refusal = row["error_class"] in REFUSALS
    return is_refusal and (row["state"] == "held" or row["reason"] == TAKEN_OVER)


def _has_refusal(task: Task) -> bool:
    """Say whether a refusal leads on; where it does not, a person repairs the record."""
    return type(task.work) in CAN_BE_REFUSED


def _nobody(task: Task) -> Outcome:
    """Give what follows when no flow takes it, or a person gave all its deliveries up."""
    if isinstance(task.work, Authorise):
        # Where nobody else gives out numbers, ours counts.
        return Done(f"RMA-{task.request.number}")
    return Nobody(by_hand(task))


def _later(task: Task, words: str) -> Later:
    age_s = (clock.now() - task.issued_at).total_seconds()
    return Later(words, min(max(age_s * SHARE_OF_AGE, LOOK_AFTER_S), LOOK_AT_LATEST_S))
