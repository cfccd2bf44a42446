"""Who goes next: first by class over all retailers, then by retailer, then by how long a lane waits.

Pure rules over what waits (`Source`) and what is held (`Holdings`); docs/guides/fairness.md says
them in words, docs/decisions/0013 says why. Nothing here waits, reads or writes.

- Classes share by weight; an idle class leaves its share to the others.
- Retailers of one class take turns by deficit round robin, charged by the time that their lanes hold
  slots, so that a slow target costs its own retailer and not the others.
- Calls cannot be taken back. So some slots are kept for the more urgent classes, and some for
  retailers that hold none (`Rooms`). Within that no slot stays free while something is due.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.deliveries.holdings import ConnectionKey, Holdings

CLASSES = 4
# Lanes begun per class when all four wait. Bulk gets 10.3 % of the sum, so that it always moves.
CLASS_WEIGHTS = (8.0, 4.0, 2.0, 1.6)
# Waiting this long makes a lane count as one class more urgent. Nothing ages into class 0: in a long
# backlog everything is old, and a paid order would again wait behind it.
AGE_ONE_CLASS_S = 300.0
AGED_AT_MOST_TO = 1
# One slot in so many stays free of this class and of all less urgent ones; class 0 may use all.
KEPT_FROM_CLASS = (0, 16, 8, 5)
LEAST_OF_A_TENANT = 2


@dataclass(frozen=True, slots=True)
class Source:
    """What is due in one class of one connection: `due` lanes (a floor, if many), the oldest's wait."""

    connection: ConnectionKey
    class_: int
    due: int
    waited_s: float = 0.0

    @property
    def counts_as(self) -> int:
        """Give the class it counts as after its wait."""
        aged = self.class_ - int(self.waited_s // AGE_ONE_CLASS_S)
        return self.class_ if self.class_ <= AGED_AT_MOST_TO else max(AGED_AT_MOST_TO, aged)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many lanes to take of which source; `is_pressed` says that due work found no slot."""

    grants: Mapping[Source, int]
    is_pressed: bool = False


class Rooms:
    """How many more slots each class, retailer and slow connection may take.

    One retailer may hold all slots but an eighth, which is for the next to come. With others present,
    its slow connections may hold a quarter of the slots, those of all three quarters; its quick ones
    may hold three quarters of what the process keeps up with (`quick_slots`). A class of which
    a retailer holds nothing yet may have one slot in any case, and its other classes leave it that one:
    so none of them starves behind another.
    """

    def __init__(self, holdings: Holdings, sources: Iterable[Source]) -> None:
        self._holdings = holdings
        self._slots = slots = holdings.slots
        self._running_s = holdings.running_s()
        self.free = slots - holdings.taken
        self._classes = [
            max(1, slots - slots // kept) if kept else slots for kept in KEPT_FROM_CLASS
        ]
        self._slow_of_all = 3 * slots // 4
        self._quick_of_all = min(holdings.quick_slots, slots)
        self._held: Counter[UUID] = Counter()
        self._held_slow: Counter[UUID] = Counter()
        self._is_slow: dict[ConnectionKey, bool] = {}
        self._others: dict[UUID, bool] = {}
        # Classes in which a retailer waits and holds nothing.
        self._empty: dict[UUID, set[int]] = defaultdict(set)
        for each in sources:
            if each.due:
                self._empty[each.connection[0]].add(each.class_)
        for hand in holdings.hands():
            self._count(hand.connection, hand.class_)

    def has_room(self, source: Source) -> bool:
        """Say whether one more lane of a source may take a slot."""
        if self.free <= 0 or min(self._classes[: source.class_ + 1]) <= 0:
            return False
        tenant_id = source.connection[0]
        if source.class_ in self._empty[tenant_id]:
            return True
        held = self._held[tenant_id] + len(self._empty[tenant_id])
        if held >= max(LEAST_OF_A_TENANT, self._slots - self._slots // 8):
            return False
        if self._slow(source.connection):
            return self._slow_has_room(tenant_id)
        return self._quick_has_room(tenant_id)

    def _slow_has_room(self, tenant_id: UUID) -> bool:
        if not self._others_present(tenant_id):
            return True
        held = self._held_slow[tenant_id] + len(self._empty[tenant_id])
        return self._slow_of_all > 0 and held < max(LEAST_OF_A_TENANT, self._slots // 4)

    def _quick_has_room(self, tenant_id: UUID) -> bool:
        if not self._others_present(tenant_id):
            return self._quick_of_all > 0
        held = self._held[tenant_id] - self._held_slow[tenant_id] + len(self._empty[tenant_id])
        most = 3 * self._holdings.quick_slots // 4
        return self._quick_of_all > 0 and held < max(LEAST_OF_A_TENANT, most)

    def take(self, source: Source) -> None:
        """Count one lane of a source into a slot."""
        self.free -= 1
        self._count(source.connection, source.class_)

    def _count(self, connection: ConnectionKey, class_: int) -> None:
        # What is held less urgently also counts against the limits of the classes above it.
        for each in range(class_ + 1):
            self._classes[each] -= 1
        self._held[connection[0]] += 1
        self._empty[connection[0]].discard(class_)
        if self._slow(connection):
            self._held_slow[connection[0]] += 1
            self._slow_of_all -= 1
        else:
            self._quick_of_all -= 1

    def _slow(self, connection: ConnectionKey) -> bool:
        known = self._is_slow.get(connection)
        if known is None:
            known = self._holdings.is_slow(connection, self._running_s)
            self._is_slow[connection] = known
        return known

    def _others_present(self, tenant_id: UUID) -> bool:
        known = self._others.get(tenant_id)
        if known is None:
            known = self._others[tenant_id] = self._holdings.others_are_present(tenant_id)
        return known


class ClassTurns:
    """Whose turn it is among the classes: shares by weight, kept from one plan to the next."""

    def __init__(self) -> None:
        self._served = [0.0] * CLASSES
        self._now = 0.0

    def next_of(self, classes: Iterable[int]) -> int:
        """Choose among the classes that wait; a class that was idle has saved nothing up."""
        return min(classes, key=lambda each: (max(self._served[each], self._now), each))

    def count(self, class_: int) -> None:
        """Count one lane for a class."""
        self._now = max(self._served[class_], self._now)
        self._served[class_] = self._now + 1 / CLASS_WEIGHTS[class_]


def plan(sources: Sequence[Source], holdings: Holdings, turns: ClassTurns, most: int) -> Plan:
    """Choose up to `most` lanes and charge their retailers; what is not got, the caller gives back."""
    rooms = Rooms(holdings, sources)
    queues = _queues(sources, holdings, rooms)
    grants: Counter[Source] = Counter()
    left = most
    while queues and left > 0 and rooms.free > 0:
        class_ = turns.next_of(queues)
        source = queues[class_].take()
        if source is None:
            del queues[class_]
            continue
        turns.count(class_)
        rooms.take(source)
        grants[source] += 1
        left -= 1
    return Plan(grants, sum(each.due for each in sources) > sum(grants.values()))


def _queues(sources: Sequence[Source], holdings: Holdings, rooms: Rooms) -> dict[int, _ClassQueue]:
    by_class: dict[int, dict[UUID, list[Source]]] = defaultdict(lambda: defaultdict(list))
    for source in sources:
        if source.due > 0:
            by_class[source.counts_as][source.connection[0]].append(source)
    return {
        class_: _ClassQueue(class_, found, holdings, rooms) for class_, found in by_class.items()
    }


class _ClassQueue:
    """The retailers that wait in one class, the one that was not served for longest first."""

    def __init__(
        self,
        class_: int,
        found: Mapping[UUID, list[Source]],
        holdings: Holdings,
        rooms: Rooms,
    ) -> None:
        self._class = class_
        self._holdings = holdings
        self._rooms = rooms
        self._left = {each: each.due for of_one in found.values() for each in of_one}
        self._sources = {
            tenant_id: deque(sorted(of_one, key=self._last_taken))
            for tenant_id, of_one in found.items()
        }
        self._order = deque(
            sorted(found, key=lambda each: (holdings.served_at_s((each, class_)), each))
        )

    def _last_taken(self, source: Source) -> tuple[float, float]:
        """Order the sources of one retailer: they take turns, from the one that waited longest on."""
        return (self._holdings.taken_at_s(source.connection, source.class_), -source.waited_s)

    def take(self) -> Source | None:
        """Take one lane of the retailer whose turn it is; None when none may or none is left."""
        in_debt = 0
        while self._order:
            tenant_id = self._order[0]
            if not self._may(tenant_id):
                self._order.popleft()
                in_debt = 0
            elif self._holdings.credit_s((tenant_id, self._class)) > 0:
                return self._take(tenant_id)
            else:
                self._order.rotate(-1)
                in_debt += 1
                if in_debt >= len(self._order):
                    self._next_turns()
                    in_debt = 0
        return None

    def _may(self, tenant_id: UUID) -> bool:
        """Bring a source of a retailer that may go to the front of its own; False when none may."""
        of_one = self._sources[tenant_id]
        for _ in range(len(of_one)):
            if self._left[of_one[0]] > 0 and self._rooms.has_room(of_one[0]):
                return True
            of_one.rotate(-1)
        return False

    def _take(self, tenant_id: UUID) -> Source:
        source = self._sources[tenant_id][0]
        self._sources[tenant_id].rotate(-1)
        self._left[source] -= 1
        cost_s = self._holdings.lane_s(source.connection)
        self._holdings.charge((tenant_id, self._class), cost_s)
        return source

    def _next_turns(self) -> None:
        """Give everybody who waits as many turns as the first of them needs to be out of debt."""
        needed = min(
            math.floor(-self._holdings.credit_s((each, self._class)) / self._holdings.turn_s(each))
            + 1
            for each in self._order
        )
        for each in self._order:
            turns_s = needed * self._holdings.turn_s(each)
            self._holdings.charge((each, self._class), -turns_s)
