"""What a person is asked, in words, with the choices that there are; a table of every question.

A question is known by its kind and its subject: when the subject changes (another amount, another
refusal) it is another question, and an old answer does not answer it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.retail.returns.steps import StepId

Kind = Literal[
    "validate", "goods_missing", "approve_refund", "refund_differs", "over_refund",
    "alternative_tender", "nothing_left", "erp_refuses", "points_short",
    "sale_unknown", "no_system", "identify",
]  # fmt: skip

# choice -> what it does, in words
CHOICES: dict[Kind, dict[str, str]] = {
    "validate": {
        "approve": "Accept the return all the same.",
        "reject": "Reject the return; nothing is paid back.",
    },
    "goods_missing": {
        "close_short": "Go on with what came; the rest counts as kept by the customer.",
        "write_off": "Give the goods up; the money that went back is a loss.",
        "wait": "Wait for the goods once more.",
    },
    "approve_refund": {
        "approve": "Pay the amount back.",
        "reject": "Pay nothing more back.",
    },
    "refund_differs": {
        "accept": "Leave it as it was paid; the difference is booked with this reason.",
        "pay_rest": "Pay the missing part back.",
    },
    "over_refund": {
        "accept_loss": "Book what was paid too much as a loss.",
        "claimed_back": "Note that it is claimed back outside; booked as a difference.",
    },
    "alternative_tender": {
        "store_credit": "Give store credit instead.",
        "retry": "Try the same way of payment again.",
    },
    "nothing_left": {"accept": "Pay nothing more: no more was paid for the order."},
    "erp_refuses": {
        "retry": "Post it to the books again, out of suspense.",
        "accept": "Leave it in the suspense account; finance books it by hand.",
    },
    "points_short": {
        "accept": "Leave the points that are spent.",
        "retry": "Try to take the points back again.",
    },
    "sale_unknown": {"no_receipt": "Take it as a return without a receipt."},
    "identify": {
        "seen": "The identification was looked at.",
        "reject": "Reject the return; nothing is paid back.",
    },
    "no_system": {
        "done": "It was done by hand or in another system.",
        "retry": "Ask the connected systems again, after a flow was installed.",
    },
}
STEP_ASKING: dict[Kind, StepId] = {
    "validate": "R1", "goods_missing": "R3", "approve_refund": "R6", "refund_differs": "R6",
    "over_refund": "R7", "nothing_left": "R7", "alternative_tender": "R7", "erp_refuses": "R8",
    "points_short": "R9", "sale_unknown": "R1", "no_system": "R11",
    "identify": "R1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that waits for a person."""

    kind: Kind
    subject: str
    words: str
    choices: tuple[str, ...]
    # For what may be asked of any step.
    at: StepId | None = None

    @property
    def step(self) -> StepId:
        """Give the step that waits for the answer."""
        return self.at or STEP_ASKING[self.kind]
