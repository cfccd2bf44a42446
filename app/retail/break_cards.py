"""What a break asks for: who has to act, by when, and what to do, as a table by its kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.retail.breaks import Break

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Card:
    """Whose business a kind of break is, how long it may stay, and the next step."""

    owner: str
    within: timedelta
    click: str


CARDS: dict[str, Card] = {
    "sequence_gap": Card("store manager", 4 * _HOUR, "Send the missing tickets, or explain them."),
    "over_short": Card("store manager", _DAY, "Have the drawer counted again."),
    "account_unmapped": Card("finance", _DAY, "Name the account in the posting rules."),
    "record_unreadable": Card("finance", _DAY, "Have the source tell the record again."),
    "unclassified": Card("finance", 2 * _DAY, "Say in the posting rules what these words mean."),
    "orphan_settlement": Card("finance", 2 * _DAY, "Fetch the order from the marketplace."),
    "missing_in_settlement": Card("finance", 7 * _DAY, "Claim the order at the marketplace."),
    "amount_differs": Card("finance", 7 * _DAY, "Claim the difference, or accept it."),
    "refund_differs": Card("finance", 7 * _DAY, "See whether a refund or a return is missing."),
    "fee_variance": Card("finance", 7 * _DAY, "Claim the fee, or correct the contract."),
    "deferred_overdue": Card("finance", 7 * _DAY, "Ask the marketplace when it is released."),
    "settlement_refused": Card("finance", _DAY, "Download the settlement again and compare."),
}
OTHER = Card("operations", _DAY, "Compare both sides and correct the wrong one.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who has to act on a break, by when (UTC), and what to do."""

    owner: str
    due_at: datetime
    click: str


def wanted_of(found: Break) -> Wanted:
    """Give what a break asks for; whoever was named for it goes before whoever usually has it."""
    card = CARDS.get(found.kind, OTHER)
    return Wanted(found.owner or card.owner, found.first_seen_at + card.within, card.click)
