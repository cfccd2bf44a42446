"""A discrete-event model of last units: what shelves hold, what was promised, what channels show.

It asks the product's own rule (`app.retail.inventory.risk`) what to publish first. Everything else is
as simple as the question allows; what it leaves out is printed with its figures.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from app.retail.inventory.risk import RiskQueue, risk
from tests.benchmarks.oversell.strategies import Strategy
from tests.benchmarks.oversell.world import ONLINE, POS, QUOTAS, WEB, Delay, World

_SALE, _HEARD, _SHOWN, _SLOT, _BATCH, _PICKED = range(6)
_Event = tuple[float, int, int, int, int, int]


@dataclass(slots=True)
class Outcome:
    """What happened: sales, and what went wrong with them.

    `oversold`: accepted online although nothing was left to promise (information came too late).
    `stolen`: a walk-in took a unit that was promised but not picked. `lost`: refused online although
    something was left. `exposed_unit_s`: units shown too much, times seconds.
    """

    sales: int = 0
    online: int = 0
    oversold: int = 0
    stolen: int = 0
    lost: int = 0
    exposed_unit_s: float = 0.0
    sent: dict[int, int] = field(default_factory=lambda: dict.fromkeys(ONLINE, 0))
    longest_queue: int = 0

    @property
    def oversold_per_10k(self) -> float:
        """Give oversold units in ten thousand sales."""
        return self.oversold / self.sales * 10_000 if self.sales else 0.0

    @property
    def stolen_per_10k(self) -> float:
        """Give promised units that walk-ins took, in ten thousand sales."""
        return self.stolen / self.sales * 10_000 if self.sales else 0.0

    @property
    def lost_share_0_1(self) -> float:
        """Give the share of online demand that was refused although there was stock."""
        wanted = self.online + self.lost
        return self.lost / wanted if wanted else 0.0


def run(world: World, strategy: Strategy) -> Outcome:
    """Play the world once; the same seed gives the same customers whatever the strategy."""
    return _Model(world, strategy).run()


class _Model:
    def __init__(self, world: World, strategy: Strategy) -> None:
        self._world, self._strategy = world, strategy
        # Customers and delays draw from chances of their own: strategies meet the same customers.
        self._demand = _chance(world, "demand")
        chance = _chance(world, "delays")
        self._till_delay = Delay(*world.till_delay_s, chance)
        self._order_delay = Delay(*world.order_delay_s, chance)
        self._publish_delay = Delay(*world.publish_delay_s, chance)
        self._pick = _chance(world, "picks")
        self._shelf = world.stock(_chance(world, "stock"))
        self._promised = [0] * world.skus
        self._known = list(self._shelf)
        shown = [max(0, units - strategy.safety) for units in self._known]
        self._shown = {channel: list(shown) for channel in ONLINE}
        # What the hub believes that a channel shows: the value sent last, less the orders heard of.
        self._believed = {channel: list(shown) for channel in ONLINE}
        self._accepted = {channel: [0] * world.skus for channel in ONLINE}
        self._heard = {channel: [0] * world.skus for channel in ONLINE}
        self._exposed_since: dict[tuple[int, int], tuple[float, int]] = {}
        self._events: list[_Event] = []
        self._order = 0
        self._now = 0.0
        self._out = Outcome()
        self._publishers = {channel: _publisher(strategy, channel) for channel in ONLINE}
        self._changed: set[int] = set()

    def run(self) -> Outcome:
        end_s = self._world.hours * 3600
        sales = self._customers(end_s)
        self._next_sale(sales)
        self._start_slots()
        handlers = (
            self._sale, self._hear, self._show, self._slot, self._batch, self._picked
        )  # fmt: skip
        while self._events:
            self._now, _, kind, a, b, c = heappop(self._events)
            if self._now > end_s:
                break
            if kind == _SALE:
                self._next_sale(sales)
            handlers[kind](a, b, c)
        return self._out

    def _customers(self, end_s: float) -> Iterator[tuple[float, int, int]]:
        """Draw when somebody wants what and where; the same for every strategy."""
        world, draw = self._world, self._demand
        channels, weights = range(len(world.shares)), world.shares
        moment = 0.0
        while moment < end_s:
            moment += draw.expovariate(world.sales_per_s)
            is_hot = draw.random() < world.hot_share_0_1
            sku = draw.randrange(world.hot) if is_hot else draw.randrange(world.hot, world.skus)
            yield moment, sku, draw.choices(channels, weights)[0]

    def _next_sale(self, sales: Iterator[tuple[float, int, int]]) -> None:
        found = next(sales, None)
        if found is not None:
            self._at(found[0], _SALE, found[1], found[2])

    def _at(self, moment: float, kind: int, a: int = 0, b: int = 0, c: int = 0) -> None:
        self._order += 1
        heappush(self._events, (moment, self._order, kind, a, b, c))

    # What customers do.

    def _sale(self, sku: int, channel: int, _: int) -> None:
        if channel == POS:
            self._walk_in(sku)
        elif self._is_offered(sku, channel):
            self._accept(sku, channel)
        elif self._shelf[sku] > self._promised[sku]:
            self._out.lost += 1

    def _walk_in(self, sku: int) -> None:
        if self._shelf[sku] <= 0:
            return
        self._shelf[sku] -= 1
        self._out.sales += 1
        if self._shelf[sku] < self._promised[sku]:
            self._out.stolen += 1
            self._promised[sku] -= 1
        self._at(self._now + self._till_delay(), _HEARD, sku, POS)

    def _is_offered(self, sku: int, channel: int) -> bool:
        if channel == WEB and self._strategy.reserves:
            return self._known[sku] > self._strategy.safety
        return self._shown[channel][sku] > 0

    def _accept(self, sku: int, channel: int) -> None:
        self._out.sales += 1
        self._out.online += 1
        if self._shelf[sku] <= self._promised[sku]:
            self._out.oversold += 1
        else:
            self._promised[sku] += 1
            picked_s = self._pick.expovariate(1 / self._world.pick_mean_s)
            self._at(self._now + picked_s, _PICKED, sku)
        self._accepted[channel][sku] += 1
        self._change_shown(channel, sku, max(0, self._shown[channel][sku] - 1))
        if channel == WEB and self._strategy.reserves:
            self._hear(sku, channel, 0)
        else:
            self._at(self._now + self._order_delay(), _HEARD, sku, channel)

    def _picked(self, sku: int, _: int, __: int) -> None:
        if self._promised[sku] > 0:
            self._promised[sku] -= 1
            self._shelf[sku] -= 1

    # What the hub does.

    def _hear(self, sku: int, channel: int, _: int) -> None:
        self._known[sku] -= 1
        if channel != POS:
            self._heard[channel][sku] += 1
            self._believed[channel][sku] = max(0, self._believed[channel][sku] - 1)
        if self._strategy.publishing == "batch":
            self._changed.add(sku)
            return
        target = self._target(sku)
        for each in ONLINE:
            self._want(each, sku, target)

    def _target(self, sku: int) -> int:
        return max(0, self._known[sku] - self._strategy.safety)

    def _want(self, channel: int, sku: int, target: int) -> None:
        if self._quota(channel) is None:
            self._send(channel, sku, target)
            return
        publisher = self._publishers[channel]
        publisher.put(sku, target, self._believed[channel][sku])
        self._out.longest_queue = max(self._out.longest_queue, len(publisher))

    def _quota(self, channel: int) -> float | None:
        return QUOTAS[channel] if self._strategy.has_quotas else None

    def _start_slots(self) -> None:
        if self._strategy.publishing == "batch":
            self._at(self._strategy.every_s, _BATCH)
            return
        for channel in ONLINE:
            quota = self._quota(channel)
            if quota is not None:
                self._at(1 / quota, _SLOT, channel)

    def _slot(self, channel: int, _: int, __: int) -> None:
        self._at(self._now + 1 / (self._quota(channel) or 1.0), _SLOT, channel)
        sends_all = self._strategy.publishing == "each_event"
        while (sku := self._publishers[channel].take()) is not None:
            target = self._target(sku)
            if sends_all or target != self._believed[channel][sku]:
                self._send(channel, sku, target)
                return

    def _batch(self, _: int, __: int, ___: int) -> None:
        self._at(self._now + self._strategy.every_s, _BATCH)
        for sku in sorted(self._changed):
            for channel in ONLINE:
                self._send(channel, sku, self._target(sku))
        self._changed.clear()

    def _send(self, channel: int, sku: int, target: int) -> None:
        self._out.sent[channel] += 1
        self._believed[channel][sku] = target
        # Orders that the channel took and the hub has not heard of are taken off on arrival, which is
        # what compare-and-set or a keyed delta achieves.
        netting = target + self._heard[channel][sku]
        self._at(self._now + self._publish_delay(), _SHOWN, sku, channel, netting)

    def _show(self, sku: int, channel: int, netting: int) -> None:
        self._change_shown(channel, sku, max(0, netting - self._accepted[channel][sku]))

    def _change_shown(self, channel: int, sku: int, units: int) -> None:
        """Change what a channel shows, and sum up for how long it showed too much."""
        self._shown[channel][sku] = units
        too_much = units - max(0, self._shelf[sku] - self._promised[sku])
        since = self._exposed_since.pop((channel, sku), None)
        if since is not None:
            self._out.exposed_unit_s += (self._now - since[0]) * since[1]
        if too_much > 0:
            self._exposed_since[channel, sku] = (self._now, too_much)


def _chance(world: World, of_what: str) -> random.Random:
    return random.Random(f"{of_what}|{world.seed}")  # noqa: S311 - a repeatable world, no secret


class _Fifo:
    """First come, first sent: as many updates of an article as it had changes."""

    def __init__(self) -> None:
        self._waiting: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, sku: int, target: int, shown: int) -> None:
        self._waiting.append(sku)

    def take(self) -> int | None:
        return self._waiting.popleft() if self._waiting else None


class _OncePerSku:
    """First come, first sent, each article once; its value is read when it is sent."""

    def __init__(self) -> None:
        self._waiting: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, sku: int, target: int, shown: int) -> None:
        self._waiting.setdefault(sku)

    def take(self) -> int | None:
        sku = next(iter(self._waiting), None)
        if sku is not None:
            del self._waiting[sku]
        return sku


class _ByRisk:
    """The product's own queue: the riskiest first, each article once, the value read when sent."""

    def __init__(self) -> None:
        self._queue: RiskQueue[int] = RiskQueue()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, sku: int, target: int, shown: int) -> None:
        self._queue.put(sku, risk(target, shown))

    def take(self) -> int | None:
        return self._queue.take()


_Publisher = _Fifo | _OncePerSku | _ByRisk
_PUBLISHERS: dict[str, Callable[[], _Publisher]] = {
    "batch": _OncePerSku,
    "each_event": _Fifo,
    "once_per_sku": _OncePerSku,
    "by_risk": _ByRisk,
}


def _publisher(strategy: Strategy, channel: int) -> _Publisher:
    return _PUBLISHERS[strategy.publishing]()
