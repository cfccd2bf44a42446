"""What a delivery sets off in the world beside the record itself, in words for people."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.canonical.event import (
    ORDER_CANCELLED,
    ORDER_CHANGED,
    ORDER_FULFILLED,
    ORDER_PLACED,
    ORDER_REFUNDED,
    STOCK_POSITION,
    TILL_SALE,
)
from connectors.sdk.manifest import Action


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event of one type does where it arrives; `moves_money` needs a second person."""

    words: str
    moves_money: bool = False


# By event type; what an action declares in its manifest comes on top.
EFFECTS: dict[str, Effect] = {
    ORDER_PLACED: Effect("books an order"),
    ORDER_CHANGED: Effect("changes an order"),
    ORDER_CANCELLED: Effect("cancels an order"),
    ORDER_REFUNDED: Effect("refunds money", moves_money=True),
    ORDER_FULFILLED: Effect("tells of a shipment"),
    TILL_SALE: Effect("books a till sale"),
    STOCK_POSITION: Effect("sets a stock quantity"),
}
_UNKNOWN = Effect("changes something we have no word for", moves_money=True)


def effects_of(event_type: str, action: Action | None) -> tuple[str, ...]:
    """Name what sending an event of this type through an action sets off."""
    declared = tuple(action.effects) if action else ()
    return (EFFECTS.get(event_type, _UNKNOWN).words, *declared)


def moves_money(words: str) -> bool:
    """Say whether an effect refunds or pays; one that we do not know counts as such."""
    known = {effect.words: effect.moves_money for effect in (*EFFECTS.values(), _UNKNOWN)}
    return known.get(words, any(word in words for word in _MONEY_WORDS))


# For what actions declare in their own words.
_MONEY_WORDS = ("refund", "pay", "charge")
