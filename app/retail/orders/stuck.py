"""Where an order is stuck, in words for a shop manager: nothing when it goes its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one thing told of an order at one target."""

    label: str
    type: str
    target: str
    state: str
    words: str


# State of a delivery -> what it means for the order; others are no trouble.
_TROUBLES = {
    "held": "{label} is held before {target}: {words} Decide it in the list of exceptions.",
    "waiting": "{label} is tried again at {target} by itself: {words}",
    "checking": "Nobody knows yet whether {target} took {label}; it is being asked.",
}
_STATUSES = {
    "awaited": "Its channel has told of a refund, not of the order itself. The channel is asked for it.",
    "pending": "Its channel has not let it go yet. It goes to no other system until then.",
}


def stuck_words(
    status: str, fates: Sequence[Fate], breaks: Sequence[str], due: int
) -> tuple[str, ...]:
    """Say where an order is stuck, the most pressing first; `due` counts agreements not posted."""
    found = [
        _TROUBLES[each.state].format(
            label=each.label, target=each.target, words=each.words or "no reason was given."
        )
        for each in sorted(fates, key=lambda each: each.state != "held")
        if each.state in _TROUBLES
    ]
    found += breaks
    if status in _STATUSES:
        found.append(_STATUSES[status])
    elif due and not found:
        is_one = due == 1
        found.append(
            f"{due} {'agreement is' if is_one else 'agreements are'} not posted to the books yet."
            " Without a flow of postings they stay here."
        )
    return tuple(found)
