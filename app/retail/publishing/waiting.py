"""What waits to be told to one channel, the riskiest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.retail.inventory.risk import PLENTY_UNITS, risk
from app.retail.publishing.turns import Turn
from infra.database.unit import Session

# At most as much; the queue asks for more before it is empty.
WINDOW = 1_000

# The order is that of `risk`, which a test holds against it. An answer that was lost is waited for.
_WAITING = f"""
select sku, target, seen from (
    select sku, target, target_at, greatest(coalesce(shown, target), coalesce(sent, 0)) as seen
    from channel_position
    where tenant_id = $1 and connection_id = $2 and state = 'due'
        and (not_before is null or not_before <= clock_timestamp()
            or (seq <> sent_seq and sent is null))
        and target_at >= clock_timestamp() - $3 * interval '1 second'
) due
order by case when seen > target then target::float8 / (seen - target)
    when target > {PLENTY_UNITS} then 'infinity' else {PLENTY_UNITS * 2} + target end, target_at
limit $4
"""  # noqa: S608 - a constant
# What is due and was not told although nothing else was left to do is looked at again shortly.
_NEXT_S = """
select extract(epoch from min(greatest(coalesce(not_before, clock_timestamp() + interval '2 seconds'),
    clock_timestamp())) - clock_timestamp())::float8
from channel_position where tenant_id = $1 and connection_id = $2 and state = 'due'
"""
_THAW = """
update channel_position p set state = 'due'
where tenant_id = $1 and connection_id = $2 and state = 'frozen' and not exists (
    select from channel_rule r where r.tenant_id = $1 and r.connection_id = $2
        and r.sku in ('', p.sku) and r.frozen_until > clock_timestamp())
"""
_THAWS_IN_S = """
select extract(epoch from min(frozen_until) - clock_timestamp())::float8 from channel_rule
where tenant_id = $1 and connection_id = $2 and frozen_until > clock_timestamp()
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One article: what may be shown, and the most that the channel may be showing."""

    sku: str
    target: int
    seen: int

    @property
    def rank(self) -> float:
        """Give its risk; the least goes first."""
        return risk(self.target, self.seen)


async def read_waiting(
    session: Session, turn: Turn, changed_within_s: float = 1e9, most: int = WINDOW
) -> Sequence[Waiting]:
    """Read the riskiest of what waits and may go now, of all or of what changed lately."""
    rows = await session.fetch(_WAITING, *turn.channel, changed_within_s, most)
    return [Waiting(row["sku"], row["target"], row["seen"]) for row in rows]


async def thaw(session: Session, turn: Turn) -> None:
    """Let articles wait again whose rule is no longer frozen."""
    await session.execute(_THAW, *turn.channel)


async def again_in_s(session: Session, turn: Turn) -> float | None:
    """Say in how many seconds something of a channel may go that may not go now; None: nothing."""
    found = [
        await session.fetch_value(_NEXT_S, *turn.channel),
        await session.fetch_value(_THAWS_IN_S, *turn.channel),
    ]
    return min((each for each in found if each is not None), default=None)
