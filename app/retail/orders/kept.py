"""One order as it is kept: what was told of it, what it comes to, and the agreements that make that.

What an order comes to follows from what was told alone, not from the order in which it came. So each
telling is put in its place, and one agreement is made of the difference it makes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from app.retail.orders.agreements import (
    Amounts,
    Content,
    LineKey,
    Reason,
    differences,
    gross_of,
)
from app.retail.orders.tellings import Rank
from connectors.canonical.order import OrderKind

Status = Literal["awaited", "pending", "open", "cancelled", "closed"]
Payment = Literal["unpaid", "partially_paid", "paid", "partially_refunded", "refunded"]
Fulfilled = Literal["unfulfilled", "partial", "fulfilled"]

NOTHING = Decimal(0)
# What a carrier or warehouse calls a shipment that did not leave after all.
NOT_SENT = frozenset({"cancelled", "canceled", "failure", "failed", "error"})


@dataclass(frozen=True, slots=True)
class Refunded:
    """The newest telling of one refund."""

    rank: Rank
    happened_at: datetime
    amount: Decimal
    content: Content


@dataclass(frozen=True, slots=True)
class Shipped:
    """The newest telling of one shipment; `lines` are (line id, SKU, quantity)."""

    connection_id: UUID
    shipment_id: str
    order_ref: str
    rank: Rank
    status: str
    shipped_at: datetime
    carrier: str
    tracking_numbers: tuple[str, ...]
    lines: tuple[tuple[str, str, Decimal], ...]

    @property
    def is_sent(self) -> bool:
        """Say whether goods left with it."""
        return self.status.lower() not in NOT_SENT


@dataclass(frozen=True, slots=True)
class AgreedLine:
    """What one agreement adds to one line; `part` is its refund, "" for the order."""

    part: str
    key: LineKey
    sku: str | None
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Agreed:
    """One agreement: why, when (UTC), who said so, and its lines."""

    number: int
    reason: Reason
    happened_at: datetime
    made_by: str
    event_id: UUID | None
    lines: tuple[AgreedLine, ...]

    @property
    def total(self) -> Decimal:
        """Give what it adds, tax included."""
        return sum((line.amounts.gross for line in self.lines), NOTHING)


@dataclass(slots=True)
class KeptOrder:
    """An order in hand; `made` are the agreements that are not written yet.

    `rank` is None until the order itself was told; a refund or a shipment may be there before.
    """

    id: UUID
    connection_id: UUID
    order_id: str
    placed_at: datetime
    day: date
    seen_at: datetime
    clock_started_at: datetime
    number: str = ""
    kind: OrderKind | Literal[""] = ""
    currency: str = ""
    is_test: bool = False
    is_pending: bool = False
    is_cancelled: bool = False
    paid: Decimal = NOTHING
    # The sum of all agreements that are written.
    standing: Decimal = NOTHING
    agreements: int = 0
    overtaken: int = 0
    rank: Rank | None = None
    content: Content = field(default_factory=dict)
    refunds: dict[str, Refunded] = field(default_factory=dict)
    shipments: dict[tuple[UUID, str], Shipped] = field(default_factory=dict)
    acknowledge_by: datetime | None = None
    ship_by: datetime | None = None
    is_new: bool = True
    is_touched: bool = False
    made: list[Agreed] = field(default_factory=list)

    @property
    def is_shipped(self) -> bool:
        """Say whether any goods left."""
        return self.kind == "pos" or any(each.is_sent for each in self.shipments.values())

    @property
    def is_taken_back(self) -> bool:
        """Say whether nothing stands of it: it was cancelled, and no goods left. Goods that left win."""
        return self.is_cancelled and not self.is_shipped

    @property
    def total(self) -> Decimal:
        """Give what the order comes to, without its refunds."""
        return gross_of(self.parts().get("", {}))

    @property
    def refunded(self) -> Decimal:
        """Give what refunds took from it."""
        return -sum((gross_of(c) for part, c in self.parts().items() if part), NOTHING)

    def parts(self) -> dict[str, Content]:
        """Give what stands of the order (under "") and of each refund."""
        if self.rank is None or self.is_test or self.is_taken_back:
            return {}
        return {"": self.content} | {name: each.content for name, each in self.refunds.items()}

    def agree(
        self,
        before: dict[str, Content],
        reason: Reason,
        happened_at: datetime,
        made_by: str,
        event_id: UUID | None,
    ) -> None:
        """Make one agreement of what changed since `before`; none when nothing did."""
        after = self.parts()
        lines = tuple(
            AgreedLine(part, key, sku, amounts)
            for part in [*after, *(name for name in before if name not in after)]
            for key, sku, amounts in differences(before.get(part, {}), after.get(part, {}))
        )
        is_first = reason == "order" and not self.agreements and "" in after
        if lines or is_first:
            self.agreements += 1
            self.made.append(Agreed(self.agreements, reason, happened_at, made_by, event_id, lines))

    def ordered(self) -> dict[str, tuple[str | None, Decimal]]:
        """Give what was ordered by line: its SKU and quantity; what was taken back is no part of it."""
        return {
            key[1]: (sku, amounts.quantity)
            for key, (sku, amounts) in self.content.items()
            if key[0] == "product" and amounts.quantity > 0
        }

    def sent(self) -> dict[str, Decimal]:
        """Sum up what left by line of the order; a line that is not the order's keeps its own name."""
        ordered = self.ordered()
        by_sku = {sku: line_id for line_id, (sku, _) in reversed(ordered.items()) if sku}
        sums: dict[str, Decimal] = {}
        for shipment in self.shipments.values():
            for line_id, sku, quantity in shipment.lines if shipment.is_sent else ():
                known = line_id if line_id in ordered else by_sku.get(sku, line_id)
                sums[known] = sums.get(known, NOTHING) + quantity
        return sums

    def fulfilment(self) -> Fulfilled:
        """Say how much of it left; a shipment that lists no lines is all of it."""
        if self.kind == "pos":
            return "fulfilled"
        if not self.is_shipped:
            return "unfulfilled"
        sent = self.sent()
        is_whole = not sent or all(
            sent.get(line_id, NOTHING) >= quantity
            for line_id, (_, quantity) in self._still_wanted().items()
        )
        return "fulfilled" if is_whole else "partial"

    def _still_wanted(self) -> dict[str, tuple[str | None, Decimal]]:
        """Give what was ordered less what was refunded before it left."""
        wanted = dict(self.ordered())
        for refund in self.refunds.values():
            for key, (_, amounts) in refund.content.items():
                if key[0] == "product" and key[1] in wanted:
                    sku, quantity = wanted[key[1]]
                    wanted[key[1]] = (sku, quantity + min(amounts.quantity, NOTHING))
        return wanted

    def over_sent(self) -> list[tuple[str, Decimal, Decimal]]:
        """Give lines of which more left than was ordered: (line id, ordered, sent)."""
        ordered, sent = self.ordered(), self.sent()
        if self.rank is None:
            return []
        return [
            (line_id, ordered.get(line_id, ("", NOTHING))[1], quantity)
            for line_id, quantity in sent.items()
            if quantity > ordered.get(line_id, ("", NOTHING))[1]
        ]

    def payment(self) -> Payment:
        """Say what was paid of it, and given back."""
        given_back = sum((each.amount for each in self.refunds.values()), NOTHING)
        if given_back > 0:
            return "refunded" if given_back >= max(self.paid, self.total) else "partially_refunded"
        if self.paid >= gross_of(self.content):
            return "paid" if self.rank is not None else "unpaid"
        return "partially_paid" if self.paid > 0 else "unpaid"

    def status(self) -> Status:
        """Say where the order stands in its life; it only ever goes on."""
        if self.rank is None:
            return "cancelled" if self.is_cancelled else "awaited"
        if self.is_taken_back:
            return "cancelled"
        if self.is_pending and not self.is_shipped:
            return "pending"
        is_done = self.fulfilment() == "fulfilled" and self.payment() not in {
            "unpaid",
            "partially_paid",
        }
        return "closed" if is_done else "open"
