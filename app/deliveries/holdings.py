"""Who holds how many slots of this worker, for how long, and what each retailer has had of them.

A slot is the right to work on one lane; it is held while its calls run and cannot be taken back.
Everything is process memory: losing it costs fairness for a few seconds, never a record. All times
are seconds of a monotonic clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from infra.clock import monotonic_s

# What a retailer of weight 1 may use of the slots in one turn (slot-seconds).
TURN_S = 0.02
# More debt than this is forgiven, so that no retailer waits long for a past minute of trouble.
MOST_DEBT_S = 30.0
# A connection whose calls take longer than this is slow: its slots do not come back soon.
SLOW_CALL_S = 1.0
# What a lane is taken to cost before one has ended.
USUAL_LANE_S = 0.02
# A retailer that had work within this time counts as present: slots are kept free for it.
PRESENT_S = 300.0
# Weight of the newest measurement in a running mean.
NEWEST_SHARE = 0.2

ConnectionKey = tuple[UUID, UUID]
# A retailer in one class: what it uses of one class must not cost it its turn in another.
Account = tuple[UUID, int]


@dataclass(slots=True)
class Hand:
    """One lane in a slot: whose it is, when it was taken and when its running call began."""

    connection: ConnectionKey
    class_: int
    charged_s: float
    taken_at_s: float
    call_began_s: float


@dataclass(slots=True)
class _Connection:
    """How long its calls and its lanes take on average; None before the first call has ended."""

    call_s: float | None = None
    lane_s: float = USUAL_LANE_S
    # By class, when a lane of it was taken last.
    served_at_s: dict[int, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Account:
    credit_s: float = 0.0
    served_at_s: float = float("-inf")


@dataclass(slots=True)
class _Tenant:
    weight: float = 1.0
    seen_at_s: float = 0.0


class Holdings:
    """The slots of one worker and what its retailers have had of them."""

    def __init__(self, slots: int, *, clock_s: Callable[[], float] = monotonic_s) -> None:
        self.slots = slots
        # Of these, how many may be held for quick targets: as many as the process keeps up with.
        self.quick_slots = slots
        self._clock_s = clock_s
        self._hands: dict[int, Hand] = {}
        self._tenants: dict[UUID, _Tenant] = {}
        self._accounts: dict[Account, _Account] = {}
        self._connections: dict[ConnectionKey, _Connection] = {}

    @property
    def taken(self) -> int:
        """Give the number of slots in use."""
        return len(self._hands)

    def hands(self) -> tuple[Hand, ...]:
        """Give all lanes in slots."""
        return tuple(self._hands.values())

    def begin(self, connection: ConnectionKey, class_: int) -> Hand:
        """Take a slot for a lane that was charged by the plan."""
        now_s = self._clock_s()
        hand = Hand(connection, class_, self.lane_s(connection), now_s, now_s)
        self._hands[id(hand)] = hand
        self._account((connection[0], class_)).served_at_s = now_s
        self._connection(connection).served_at_s[class_] = now_s
        return hand

    def calls(self, hand: Hand) -> None:
        """Note that the first call of a lane begins now: loading it was no matter of its target."""
        hand.call_began_s = self._clock_s()

    def called(self, hand: Hand) -> None:
        """Note that a call of a lane ended; the next one of it begins now."""
        now_s = self._clock_s()
        known = self._connection(hand.connection)
        known.call_s = _mean(known.call_s, now_s - hand.call_began_s)
        hand.call_began_s = now_s

    def end(self, hand: Hand) -> None:
        """Give a slot back; what it cost more or less than charged is made good."""
        del self._hands[id(hand)]
        cost_s = self._clock_s() - hand.taken_at_s
        known = self._connection(hand.connection)
        known.lane_s = _mean(known.lane_s, cost_s)
        self.charge((hand.connection[0], hand.class_), cost_s - hand.charged_s)

    def seen(self, tenant_id: UUID, weight: float) -> None:
        """Note that a retailer has work, and its weight by plan."""
        tenant = self._tenant(tenant_id)
        tenant.seen_at_s = self._clock_s()
        tenant.weight = weight

    def others_are_present(self, tenant_id: UUID) -> bool:
        """Say whether another retailer has, or lately had, work here."""
        since_s = self._clock_s() - PRESENT_S
        return any(
            each.seen_at_s >= since_s for key, each in self._tenants.items() if key != tenant_id
        )

    def charge(self, account: Account, cost_s: float) -> None:
        """Take slot-seconds from a retailer's credit, or give them when `cost_s` is below zero."""
        of_one = self._account(account)
        credit_s = max(of_one.credit_s - cost_s, -MOST_DEBT_S)
        of_one.credit_s = min(credit_s, self.turn_s(account[0]))

    def credit_s(self, account: Account) -> float:
        """Give what a retailer may still use in this turn (slot-seconds, below zero in debt)."""
        return self._account(account).credit_s

    def turn_s(self, tenant_id: UUID) -> float:
        """Give what one turn is worth to a retailer (slot-seconds)."""
        return TURN_S * self._tenant(tenant_id).weight

    def served_at_s(self, account: Account) -> float:
        """Give when a retailer was served last; one never served was so before all others."""
        return self._account(account).served_at_s

    def taken_at_s(self, connection: ConnectionKey, class_: int) -> float:
        """Give when a lane of one class of a connection was taken last."""
        return self._connection(connection).served_at_s.get(class_, float("-inf"))

    def lane_s(self, connection: ConnectionKey) -> float:
        """Give how long a lane of a connection usually holds its slot."""
        return self._connection(connection).lane_s

    def call_s(self, connection: ConnectionKey) -> float | None:
        """Give how long a call of a connection usually takes; None before the first has ended."""
        return self._connection(connection).call_s

    def running_s(self) -> dict[ConnectionKey, float]:
        """Give the mean age of the running calls of each connection that holds slots."""
        now_s = self._clock_s()
        ages: dict[ConnectionKey, list[float]] = defaultdict(list)
        for hand in self._hands.values():
            ages[hand.connection].append(now_s - hand.call_began_s)
        return {key: sum(each) / len(each) for key, each in ages.items()}

    def is_slow(self, connection: ConnectionKey, running_s: Mapping[ConnectionKey, float]) -> bool:
        """Say whether slots of a connection do not come back soon, by what ended and what runs.

        One that has not answered a single call yet is slow until it does.
        """
        call_s = self._connection(connection).call_s
        if call_s is None:
            return True
        return max(call_s, running_s.get(connection, 0.0)) > SLOW_CALL_S

    def forget_the_absent(self) -> None:
        """Drop what is known of retailers without work for twice the time of being present."""
        since_s = self._clock_s() - 2 * PRESENT_S
        held = {hand.connection[0] for hand in self._hands.values()}
        for tenant_id, tenant in list(self._tenants.items()):
            if tenant_id not in held and tenant.seen_at_s < since_s:
                del self._tenants[tenant_id]
        for key in [key for key in self._connections if key[0] not in self._tenants]:
            del self._connections[key]
        for account in [each for each in self._accounts if each[0] not in self._tenants]:
            del self._accounts[account]

    def _tenant(self, tenant_id: UUID) -> _Tenant:
        return self._tenants.setdefault(tenant_id, _Tenant())

    def _account(self, key: Account) -> _Account:
        return self._accounts.setdefault(key, _Account())

    def _connection(self, key: ConnectionKey) -> _Connection:
        return self._connections.setdefault(key, _Connection())


def _mean(known_s: float | None, told_s: float) -> float:
    return told_s if known_s is None else known_s + NEWEST_SHARE * (told_s - known_s)
