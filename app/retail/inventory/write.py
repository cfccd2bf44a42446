"""Write how articles stand: positions, and what channels may show of them; only what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.retail.breaks import Seen, close_breaks, see_breaks
from app.retail.inventory.channels import units_shown
from app.retail.inventory.facts import AVAILABLE
from app.retail.inventory.fold import Place
from app.retail.inventory.shelf import Position, Shelf
from app.retail.inventory.stockroom import Stockroom
from infra.database.unit import Session
from infra.ids import Id

NEGATIVE_BREAK = "stock_negative"

_KNOWN = """
select sku, location, state, quantity, as_of, counted_at, moved_at, negative_since
from stock_position where tenant_id = $1 and sku = any ($2)
"""
_WRITE = """
insert into stock_position (tenant_id, sku, location, state, quantity, as_of, counted_at, moved_at,
    negative_since)
select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::numeric[], $6::timestamptz[],
    $7::timestamptz[], $8::timestamptz[], $9::timestamptz[])
on conflict (tenant_id, sku, location, state) do update set quantity = excluded.quantity,
    as_of = excluded.as_of, counted_at = excluded.counted_at, moved_at = excluded.moved_at,
    negative_since = excluded.negative_since, fold_version = stock_position.fold_version + 1
"""
_FORGET = """
delete from stock_position p using unnest($2::text[], $3::text[], $4::text[])
    as gone (sku, location, state)
where p.tenant_id = $1 and p.sku = gone.sku and p.location = gone.location and p.state = gone.state
"""
# A channel that shows what it may show is left alone, unless a call to it is on its way; one that was
# refused is tried with news. What is frozen stays so: its publisher thaws it.
_SHOW = """
insert into channel_position as known (tenant_id, connection_id, sku, target, occurred_at,
    unit_price, currency, state)
select $1, connection_id, sku, target, occurred_at, unit_price, currency, 'due'
from unnest($2::uuid[], $3::text[], $4::int[], $5::timestamptz[], $6::numeric[], $7::text[])
    as news (connection_id, sku, target, occurred_at, unit_price, currency)
on conflict (tenant_id, connection_id, sku) do update set
    target = excluded.target,
    target_at = case when known.target = excluded.target then known.target_at else now() end,
    seq = known.seq + (known.target <> excluded.target)::int,
    occurred_at = case when known.shown is not distinct from excluded.target and known.sent is null
        then null else coalesce(known.occurred_at, excluded.occurred_at) end,
    unit_price = coalesce(excluded.unit_price, known.unit_price),
    currency = coalesce(excluded.currency, known.currency),
    state = case when known.state = 'frozen' then 'frozen'
        when known.shown is not distinct from excluded.target and known.sent is null then 'shown'
        when known.target = excluded.target and known.state = 'refused' then 'refused'
        else 'due' end
where known.target <> excluded.target
    or excluded.unit_price is not null and known.unit_price is distinct from excluded.unit_price
returning connection_id, state
"""
_TURN = """
insert into channel_turn (tenant_id, connection_id, due_at)
select $1, channel, now() from unnest($2::uuid[]) as news (channel) order by channel
on conflict (tenant_id, connection_id) do update set due_at = least(channel_turn.due_at, now())
"""


@dataclass(frozen=True, slots=True)
class Changed:
    """What writing changed: positions, and rows of channels that have something to show now."""

    positions: int = 0
    channels: tuple[Id, ...] = ()
    shown: int = 0


async def write_positions(session: Session, tenant_id: UUID, room: Stockroom) -> int:
    """Write positions that changed, tell those that went below nothing; gives how many changed."""
    shelves = [room.shelves[sku] for sku in room.skus]
    known = await _known(session, tenant_id, room.skus)
    rows = [
        (shelf.sku, *_row(position))
        for shelf in shelves
        for place, position in shelf.positions.items()
        if known.get((shelf.sku, *place)) != _row(position)
    ]
    gone = [key for key in known if (key[1], key[2]) not in room.shelves[key[0]].positions]
    if rows:
        await session.execute(_WRITE, tenant_id, *_columns(rows))
    if gone:
        await session.execute(_FORGET, tenant_id, *_columns(gone))
    await _tell_negative(session, tenant_id, shelves, known)
    return len(rows) + len(gone)


async def write_channels(
    session: Session, tenant_id: UUID, room: Stockroom, since: Mapping[str, datetime], now: datetime
) -> Changed:
    """Write what channels may show, where it changed, and give their publishers a turn.

    Takes: of each article since when a channel may show too much or too little. Last in its
    transaction: publishers wait for the turn's row.
    """
    rows = [
        (
            rule.connection_id,
            sku,
            units_shown(sku, rule, room.shelves, room.rules),
            since.get(sku, now),
            *_price(room.shelves[sku]),
        )
        for sku in room.skus
        for rule in room.rules.showing(sku)
    ]
    if not rows:
        return Changed()
    rows.sort(key=lambda row: (row[0], row[1]))
    changed = await session.fetch(_SHOW, tenant_id, *_columns(rows))
    channels = sorted({row["connection_id"] for row in changed if row["state"] == "due"})
    if channels:
        await session.execute(_TURN, tenant_id, channels)
    return Changed(channels=tuple(channels), shown=len(changed))


def _price(shelf: Shelf) -> tuple[Decimal | None, str | None]:
    price = shelf.gathered.price
    return (price.amount, price.currency) if price else (None, None)


_Key = tuple[str, str, str]


async def _known(
    session: Session, tenant_id: UUID, skus: Sequence[str]
) -> dict[_Key, tuple[object, ...]]:
    rows = await session.fetch(_KNOWN, tenant_id, skus)
    return {(row["sku"], row["location"], row["state"]): tuple(row)[1:] for row in rows}


def _row(position: Position) -> tuple[object, ...]:
    return (
        position.location,
        position.state,
        position.quantity,
        position.as_of,
        position.counted_at,
        position.moved_at,
        position.negative_since,
    )


async def _tell_negative(
    session: Session,
    tenant_id: UUID,
    shelves: Iterable[Shelf],
    known: Mapping[_Key, tuple[object, ...]],
) -> None:
    """Ask for a count where more was sold than was on record; it is over when a count explains it."""
    found, over = [], []
    for shelf in shelves:
        for place, position in shelf.positions.items():
            if position.state != AVAILABLE:
                continue
            key = f"{position.location}/{shelf.sku}"
            # Where nothing was ever counted nobody knows what there is, and nothing is missing.
            if position.negative_since is not None and position.counted_at is not None:
                found.append(_negative(shelf, place, position, key))
            elif _was_negative(known.get((shelf.sku, *place))):
                over.append(key)
    await see_breaks(session, tenant_id, found)
    if over:
        words = "What is on record is enough again."
        await close_breaks(session, tenant_id, NEGATIVE_BREAK, over, words)


def _was_negative(row: tuple[object, ...] | None) -> bool:
    return row is not None and row[-1] is not None


def _negative(shelf: Shelf, place: Place, position: Position, key: str) -> Seen:
    units = -position.quantity
    price = shelf.gathered.price
    return Seen(
        NEGATIVE_BREAK,
        key,
        f"{shelf.sku} at {place[0]}: {units.normalize():f} more sold than were on record, since"
        f" {position.negative_since:%Y-%m-%d %H:%M} UTC. Nothing of it is shown for sale. Count the"
        " article there and send the count; this closes by itself then.",
        place=place[0],
        amount=_worth(units, price.amount) if price else None,
        currency=price.currency if price else None,
    )


def _worth(units: Decimal, price: Decimal) -> Decimal:
    return round(units * price, 2)


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
