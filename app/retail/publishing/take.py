"""Read the value at the moment it is sent, and write down that it is on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.retail.publishing.steps import Known, Step, next_step
from app.retail.publishing.turns import Turn
from infra.database.unit import Row, Session

# Clocks of channels differ from ours by less (seconds); an order placed nearer to the moment at which
# the channel was told may be older than what it was told, so it is not counted as taken off.
CLOCKS_DIFFER = timedelta(seconds=2)

# Of an order that was told several times the smallest counts: what is believed to be shown must never
# be too little. Read before any row is locked, so that nobody waits for it.
_SOLD = """
select sku, min(quantity) as units, min(occurred_at) as first_at from stock_fact
where tenant_id = $1 and connection_id = $2 and sku = any($3::text[]) and kind = 'order'
group by sku, document
"""
# Without the turn nothing is found.
_READ = """
select p.sku, p.target, p.target_at, p.seq, p.occurred_at, p.unit_price, p.currency, p.shown,
    p.sent as open_value, p.sent_seq as open_seq, p.sent_at as open_at, p.code,
    case when p.seq = p.sent_seq then p.tries else 0 end as tries,
    coalesce(nullif(own.location, ''), rest.location, '') as location,
    coalesce(greatest(own.frozen_until, rest.frozen_until) > clock_timestamp(), false) as is_frozen,
    coalesce(own.self_decrements, rest.self_decrements, true) as self_decrements, p.shown_at
from channel_position p
join channel_turn turn on (turn.tenant_id, turn.connection_id) = (p.tenant_id, p.connection_id)
left join channel_rule own
    on (own.tenant_id, own.connection_id, own.sku) = (p.tenant_id, p.connection_id, p.sku)
left join channel_rule rest
    on (rest.tenant_id, rest.connection_id, rest.sku) = (p.tenant_id, p.connection_id, '')
where p.tenant_id = $1 and p.connection_id = $2 and p.sku = any($4::text[]) and p.state = 'due'
    and turn.token = $3 and turn.leased_until > clock_timestamp()
order by p.sku for update of p
"""
_SEND = """
update channel_position set sent = target, sent_seq = seq, sent_at = clock_timestamp()
where tenant_id = $1 and connection_id = $2 and sku = any($3::text[])
returning sku, sent_at
"""
# As of the last order that was counted: none is counted twice.
_SETTLE = """
update channel_position p set shown = p.target, shown_at = coalesce(done.sold_at, p.shown_at),
    state = 'shown', occurred_at = null, tries = 0, not_before = null, code = '', words = ''
from unnest($3::text[], $4::timestamptz[]) as done (sku, sold_at)
where p.tenant_id = $1 and p.connection_id = $2 and p.sku = done.sku
"""
_FREEZE = """
update channel_position set state = 'frozen' where tenant_id = $1 and connection_id = $2
    and sku = any($3::text[])
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """One article in our hands: to be told, or to be asked about.

    `mark` is the moment written to its row: what comes of it counts only while it stands there.
    """

    known: Known
    step: Step
    mark: datetime


async def take(
    session: Session, turn: Turn, skus: Sequence[str], *, can_ask: bool
) -> Sequence[Taken]:
    """Take articles whose turn has come; those that need no call are settled here and left out.

    Gives them in the order of `skus`. Nothing when another holds the channel.
    """
    orders = await session.fetch(_SOLD, *turn.channel, list(skus))
    rows = await session.fetch(_READ, *turn.channel, turn.token, list(skus))
    found = [_known(row, orders) for row in rows]
    steps = {known: next_step(known, can_ask=can_ask) for known in found}
    settled = [known for known, step in steps.items() if step == "settle"]
    if settled:
        columns = [known.sku for known in settled], [known.sold_at for known in settled]
        await session.execute(_SETTLE, *turn.channel, *columns)
    frozen = [known.sku for known, step in steps.items() if step == "freeze"]
    if frozen:
        await session.execute(_FREEZE, *turn.channel, frozen)
    sending = [known.sku for known, step in steps.items() if step == "send"]
    marks = await session.fetch(_SEND, *turn.channel, sending) if sending else []
    marked = {row["sku"]: row["sent_at"] for row in marks}
    place = {sku: number for number, sku in enumerate(skus)}
    taken = [
        Taken(known, step, marked.get(known.sku) or known.open_at or known.target_at)
        for known, step in steps.items()
        if step in ("send", "ask")
    ]
    return sorted(taken, key=lambda each: place[each.known.sku])


def _known(row: Row, orders: Sequence[Row]) -> Known:
    """Give an article with the orders that its channel took since it was told last."""
    told = dict(row)
    shown_at, counts = told.pop("shown_at"), told.pop("self_decrements")
    since = [
        each
        for each in orders
        if counts
        and shown_at is not None
        and each["sku"] == row["sku"]
        and each["first_at"] > shown_at + CLOCKS_DIFFER
    ]
    sold = int(sum(each["units"] for each in since))
    sold_at = max((each["first_at"] for each in since), default=None)
    return Known(**told, sold=sold, sold_at=sold_at)
