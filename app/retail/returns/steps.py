"""The eleven steps of a return as data: who acts, after what, how long without word, what if it fails.

Sources of the limits: 15 minutes for what we do ourselves, a working day for a person, three days for
goods on their way; a retailer's policy may lengthen that of the goods.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from connectors.canonical.returns import ReturnKind

StepId = Literal["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "R11"]
Who = Literal["auto", "human", "external"]
# `waiting` for earlier steps, `open` for its actor, `asked` for a person's decision.
StepState = Literal["waiting", "open", "asked", "done", "skipped"]
End = Literal["closed_complete", "closed_with_accepted_break", "rejected", "expired", "written_off"]

ENDS: tuple[End, ...] = (
    "closed_complete", "closed_with_accepted_break", "rejected", "expired", "written_off",
)  # fmt: skip
_OURS = timedelta(minutes=15)
PERSON_LIMIT = timedelta(hours=24)
_GOODS = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `needs` must be done or skipped before it; `if_it_fails` is the policy in words."""

    id: StepId
    title: str
    who: Who
    needs: tuple[StepId, ...]
    stuck_after: timedelta
    if_it_fails: str


STEPS: tuple[Step, ...] = (
    Step("R1", "Check against the sale", "auto", (), _OURS,
         "A person approves or rejects; never rejected once money went back."),
    Step("R2", "Authorise", "auto", ("R1",), _OURS,
         "Repeated; goods that arrive anyway are their own authorisation."),
    Step("R3", "Receive the goods", "external", ("R1",), _GOODS,
         "Nothing came: expired. Money is out: a person writes off or goes on waiting."),
    Step("R4", "Inspect", "human", ("R3",), PERSON_LIMIT,
         "A later judgement replaces an earlier one."),
    Step("R5", "Move the stock", "auto", ("R4",), _OURS,
         "Moved stock stays; a changed judgement is a movement back and a new one."),
    Step("R6", "Decide the refund", "auto", ("R1",), _OURS,
         "A person decides over amounts that differ, and over too much."),
    Step("R7", "Pay back", "auto", ("R6",), _OURS,
         "Another way of payment is a person's decision; stock stays. Never more than was paid."),
    Step("R8", "Reverse revenue and tax", "auto", ("R7",), _OURS,
         "The refund stands. Repeated, then booked to suspense, and finance is asked."),
    Step("R9", "Take back loyalty points", "auto", ("R7",), _OURS,
         "A person accepts what the account does not hold any more."),
    Step("R10", "Tell the shop's history and the customer", "auto", ("R5", "R8", "R9"), _OURS,
         "Noted as incomplete history; it does not keep the return open."),
    Step("R11", "Close", "auto", ("R3", "R4", "R5", "R7", "R8", "R9", "R10"), _OURS,
         "Closed with the breaks that were accepted; a late fact opens it again."),
)  # fmt: skip
BY_ID: dict[StepId, Step] = {step.id: step for step in STEPS}


@dataclass(frozen=True, slots=True)
class KindRule:
    """What a kind of return involves: goods to us, an authorisation, and whether we move the money."""

    expects_goods: bool
    needs_rma: bool
    we_pay: bool


KINDS: dict[ReturnKind, KindRule] = {
    "mail_in": KindRule(expects_goods=True, needs_rma=True, we_pay=True),
    "in_store": KindRule(expects_goods=True, needs_rma=False, we_pay=True),
    # Comes back without anybody having asked for it.
    "refused_delivery": KindRule(expects_goods=True, needs_rma=False, we_pay=True),
    "lost_in_transit": KindRule(expects_goods=False, needs_rma=False, we_pay=True),
    "marketplace": KindRule(expects_goods=True, needs_rma=False, we_pay=False),
    # The marketplace's own warehouse keeps the goods.
    "marketplace_fba": KindRule(expects_goods=False, needs_rma=False, we_pay=False),
    "exchange": KindRule(expects_goods=True, needs_rma=False, we_pay=True),
    "warranty": KindRule(expects_goods=True, needs_rma=True, we_pay=True),
    "recall": KindRule(expects_goods=True, needs_rma=False, we_pay=True),
}
