"""Write down what channels answered, several answers in one commit, each only while it still counts."""

from __future__ import annotations

from collections.abc import Sequence

from app.retail.breaks import Seen, close_breaks, see_breaks
from app.retail.publishing.judge import LOST, Ack
from app.retail.publishing.turns import Turn
from app.retail.publishing.waiting import Waiting
from infra.database.unit import Session

REFUSED = "listing.refused"

# Only what is still marked as it was when it was taken: what another took meanwhile is another's.
_WRITE = """
update channel_position p set
    shown = coalesce(a.shown, p.shown),
    shown_at = case when a.shown is null then p.shown_at else clock_timestamp() end,
    sent = case when a.is_open then a.open_value end,
    sent_seq = case when a.is_open then a.open_seq else p.sent_seq end,
    sent_at = case when a.is_open then p.sent_at end,
    tries = a.tries,
    not_before = clock_timestamp() + a.wait_s * interval '1 second',
    state = case when a.is_refused and p.seq = a.seq then 'refused'
        when a.shown = p.target then 'shown' else 'due' end,
    occurred_at = case when a.shown = p.target then null else p.occurred_at end,
    code = a.code, words = a.words
from (
    select p.sku, a.* from channel_position p
    join channel_turn turn on (turn.tenant_id, turn.connection_id) = (p.tenant_id, p.connection_id)
    join unnest($4::text[], $5::timestamptz[], $6::bigint[], $7::int[], $8::bool[], $9::int[],
        $10::bigint[], $11::bool[], $12::int[], $13::float8[], $14::text[], $15::text[])
        as a (its, mark, seq, shown, is_open, open_value, open_seq, is_refused, tries, wait_s, code,
            words) on a.its = p.sku
    where p.tenant_id = $1 and p.connection_id = $2 and turn.token = $3
        and p.sent_at = a.mark and p.state = 'due'
    order by p.sku for update of p
) a
where p.tenant_id = $1 and p.connection_id = $2 and p.sku = a.sku
returning p.sku, p.state, p.target, greatest(coalesce(p.shown, p.target), coalesce(p.sent, 0)) as seen,
    case when p.seq = a.seq then a.wait_s end as wait_s
"""


async def write_acks(
    session: Session, turn: Turn, acks: Sequence[Ack]
) -> Sequence[tuple[Waiting, float]]:
    """Write answers; gives what waits still, and in how many seconds it may go."""
    rows = await session.fetch(_WRITE, *turn.channel, turn.token, *_columns(acks))
    states = {row["sku"]: row["state"] for row in rows}
    await _tell_people(session, turn, acks, states)
    return [
        (Waiting(row["sku"], row["target"], row["seen"]), row["wait_s"] or 0.0)
        for row in rows
        if row["state"] == "due"
    ]


async def _tell_people(
    session: Session, turn: Turn, acks: Sequence[Ack], states: dict[str, str]
) -> None:
    """Keep one break open for each article that its channel refuses."""
    written = [each for each in acks if each.taken.known.sku in states]
    refused = [each for each in written if states[each.taken.known.sku] == "refused"]
    await see_breaks(session, turn.tenant_id, [_break(turn, each) for each in refused])
    healed = [
        _key(turn, each)
        for each in written
        if each.shown is not None and each.taken.known.code not in ("", LOST)
    ]
    if healed:
        words = "The channel shows it."
        await close_breaks(session, turn.tenant_id, REFUSED, healed, words)


def _break(turn: Turn, ack: Ack) -> Seen:
    known = ack.taken.known
    units = max(0, (known.believed or 0) - known.target)
    amount = None if known.unit_price is None else known.unit_price * units
    words = f"The channel does not take the stock of {known.sku}: {ack.words}"
    return Seen(
        REFUSED, _key(turn, ack), words, str(turn.connection_id), None, amount, known.currency
    )


def _key(turn: Turn, ack: Ack) -> str:
    return f"{turn.connection_id}|{ack.taken.known.sku}"


def _columns(acks: Sequence[Ack]) -> list[list[object]]:
    rows = [_row(ack) for ack in acks]
    return [list(column) for column in zip(*rows, strict=True)]


def _row(ack: Ack) -> tuple[object, ...]:
    known, mark = ack.taken.known, ack.taken.mark
    # What stays open is the value that was sent now; before it, the one that was lost earlier.
    is_older = ack.is_open and ack.code != LOST and known.is_open
    value = known.open_value if is_older or ack.taken.step == "ask" else known.target
    seq = known.open_seq if is_older or ack.taken.step == "ask" else known.seq
    return (
        known.sku,
        mark,
        known.seq,
        ack.shown,
        ack.is_open,
        value,
        seq,
        ack.is_refused,
        ack.tries,
        ack.wait_s,
        ack.code,
        ack.words,
    )
