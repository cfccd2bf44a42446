"""What orders keep and take: from all that was told of one order to movements of goods.

An order states how many it wants, again and again; only what changes is kept or given back, at the
time of that telling. What left is taken from what was kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import itemgetter

from app.retail.inventory.facts import (
    AVAILABLE,
    COMMITTED,
    CUSTOMER,
    UNPLACED,
    is_account,
)
from app.retail.inventory.fold import Movement, Place

NOTHING = Decimal(0)
# At one moment: first what is wanted, then what a place sent, then what the channel says left.
_WANTED, _PLACED, _LEFT = 0, 1, 2

Change = tuple[Place, Place, Decimal]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many an order wants in all as of a telling, and where it is served from."""

    at: datetime
    location: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Sent:
    """Goods that left for an order; `is_placed` when a place itself told the movement."""

    at: datetime
    quantity: Decimal
    location: str
    is_placed: bool


@dataclass(slots=True)
class OrderGoods:
    """How one order stands with one article.

    `movements` are what to fold; `open_units` are still to be sent from `location`; `left` is what
    went from an account without a place being known: (when, how many).
    """

    placed_at: datetime
    location: str = ""
    open_units: Decimal = NOTHING
    movements: list[Movement] = field(default_factory=list)
    left: list[tuple[datetime, Decimal]] = field(default_factory=list)


def follow_order(name: str, wanted: Sequence[Wanted], sent: Iterable[Sent]) -> OrderGoods:
    """Follow one order through time.

    Takes: `wanted`, in the order in which the tellings count, and all that was sent, in any order.
    Gives back never more than is still kept; what is sent beyond that is taken from the shelf.
    """
    shipped = list(sent)
    moments = [*(each.at for each in wanted), *(each.at for each in shipped)]
    goods = OrderGoods(min(moments), location=next((each.location for each in wanted), ""))
    number = 0
    total_sent = NOTHING
    for at, _, step in sorted(_timeline(wanted, shipped), key=itemgetter(0, 1)):
        if isinstance(step, Wanted):
            keep = max(NOTHING, step.quantity - total_sent)
            changes = _kept(goods, keep, step.location)
        else:
            total_sent += step.quantity
            changes = _sent(goods, step)
        for origin, target, quantity in changes:
            number += 1
            goods.movements.append(Movement(f"{name}#{number}", quantity, origin, target, at))
    return goods


def _timeline(
    wanted: Sequence[Wanted], sent: Sequence[Sent]
) -> Iterator[tuple[datetime, tuple[int, int], Wanted | Sent]]:
    for index, told in enumerate(wanted):
        yield told.at, (_WANTED, index), told
    placed = sum((each.quantity for each in sent if each.is_placed), NOTHING)
    for index, each in enumerate(
        sorted(sent, key=lambda one: (one.at, one.location, one.quantity))
    ):
        if each.is_placed:
            yield each.at, (_PLACED, index), each
            continue
        # What a place told itself and the channel tells again is one and the same.
        known = min(placed, each.quantity)
        placed -= known
        if each.quantity > known:
            rest = Sent(each.at, each.quantity - known, each.location, is_placed=False)
            yield each.at, (_LEFT, index), rest


def _kept(goods: OrderGoods, keep: Decimal, location: str) -> Iterator[Change]:
    """Keep so many from now on, at this place."""
    if location != goods.location and goods.open_units:
        yield _kept_at(goods.location), _shelf(goods.location), goods.open_units
        goods.open_units = NOTHING
    goods.location = location
    change = keep - goods.open_units
    if change > 0:
        yield _shelf(location), _kept_at(location), change
    elif change < 0:
        yield _kept_at(location), _shelf(location), -change
    goods.open_units = keep


def _sent(goods: OrderGoods, sent: Sent) -> Iterator[Change]:
    location = goods.location or sent.location
    from_kept = min(sent.quantity, goods.open_units)
    goods.open_units -= from_kept
    if sent.is_placed:
        # The place's own movement takes the goods; here only what was kept for them is given back.
        if from_kept:
            yield _kept_at(location), _shelf(location), from_kept
        return
    if from_kept:
        yield _kept_at(location), (CUSTOMER, AVAILABLE), from_kept
    if sent.quantity > from_kept:
        yield _shelf(location), (CUSTOMER, AVAILABLE), sent.quantity - from_kept
    if is_account(location):
        goods.left.append((sent.at, sent.quantity))


def _shelf(location: str) -> Place:
    return (UNPLACED if is_account(location) else location, AVAILABLE)


def _kept_at(location: str) -> Place:
    return (location, COMMITTED)
