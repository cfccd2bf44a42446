"""What is to be done with one article that waits, from what is known of it at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

# settle: the channel shows it already. freeze: a rule keeps what is shown. ask: an earlier answer was
# lost, and the channel can say whether it has it. send: tell the channel.
Step = Literal["settle", "freeze", "ask", "send"]


@dataclass(frozen=True, slots=True)
class Known:
    """One article of a channel as the book has it when its turn comes.

    `shown`: what the channel said last that it shows; None: never told. `sold`: units of its own
    orders since (the last at `sold_at`), which its counter has taken off by itself. `open_value` and
    `open_seq`: a value that was sent and whose answer is not known. `tries` counts attempts at this
    `seq`.
    """

    sku: str
    target: int
    target_at: datetime
    seq: int
    occurred_at: datetime | None
    unit_price: Decimal | None
    currency: str | None
    shown: int | None
    sold: int
    sold_at: datetime | None
    open_value: int | None
    open_seq: int
    open_at: datetime | None
    tries: int
    code: str
    location: str
    is_frozen: bool

    @property
    def believed(self) -> int | None:
        """Say what the channel shows now, as far as anybody told us; None when nobody did."""
        return None if self.shown is None else max(0, self.shown - self.sold)

    @property
    def is_open(self) -> bool:
        """Say whether an earlier answer was lost."""
        return self.open_value is not None


def next_step(known: Known, *, can_ask: bool) -> Step:
    """Decide what to do; a question that is open comes before everything that would rest on it."""
    if known.is_open and can_ask:
        return "ask"
    if known.is_frozen:
        return "freeze"
    if not known.is_open and known.believed == known.target:
        return "settle"
    return "send"
