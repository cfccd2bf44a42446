"""Read how articles stand, and why one does not move: who told last, what each channel shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.connections.tenant import acting_tenant
from infra import clock
from infra.database.unit import Row, Session
from infra.errors import NotFound

_POSITIONS = """
select sku, location, state, quantity, as_of, counted_at, moved_at, negative_since
from stock_position where tenant_id = $1 and ($2 = '' or sku = $2) and ($3 = '' or location = $3)
    and (not $4 or negative_since is not null) and (sku, location, state) > ($5, $6, $7)
order by sku, location, state limit $8
"""
_LAST_FACT = """
select f.kind, f.quantity, f.from_location, f.to_location, f.to_state, f.reason, f.document,
    f.occurred_at, f.told_at, c.name as told_by
from stock_fact f join connection c on c.tenant_id = f.tenant_id and c.id = f.connection_id
where f.tenant_id = $1 and f.sku = $2 order by f.told_at desc, f.occurred_at desc limit 1
"""
_CHANNELS = """
select c.name as channel, p.target, p.target_at, p.shown, p.shown_at, p.sent, p.sent_at, p.tries,
    p.not_before, p.state, p.code, p.words, p.occurred_at
from channel_position p join connection c on c.tenant_id = p.tenant_id and c.id = p.connection_id
where p.tenant_id = $1 and p.sku = $2 order by c.name
"""
_DUE = "select min(since) from stock_due where tenant_id = $1 and sku = $2"
_HELD = """
select sum(quantity) from reservation where tenant_id = $1 and sku = $2 and state = 'held'
"""
_KIT = """
select exists (
    select from kit_component where tenant_id = $1 and kit_sku = $2 and valid_to is null)
"""


@dataclass(frozen=True, slots=True)
class PositionRow:
    """What stands in one state at one place; times in UTC by business time."""

    sku: str
    location: str
    state: str
    quantity: Decimal
    as_of: datetime
    counted_at: datetime | None
    moved_at: datetime | None
    negative_since: datetime | None


@dataclass(frozen=True, slots=True)
class ChannelView:
    """What a channel may show, what it shows, what it answered last; the rest in words."""

    channel: str
    target: int
    target_at: datetime
    shown: int | None
    shown_at: datetime | None
    state: str
    code: str
    tries: int
    next_try_at: datetime | None
    words: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why an article is where it is: each sentence is one reason, the most pressing first."""

    sku: str
    words: tuple[str, ...]
    last_told: str
    positions: tuple[PositionRow, ...]
    channels: tuple[ChannelView, ...]
    reserved: Decimal


@dataclass(frozen=True, slots=True)
class PositionFilter:
    """Which positions to list; '' is all, `after` the last row of the page before."""

    sku: str = ""
    location: str = ""
    only_negative: bool = False
    after: tuple[str, str, str] = ("", "", "")


async def list_positions(session: Session, wanted: PositionFilter, limit: int) -> list[PositionRow]:
    """List positions by article, place and state."""
    rows = await session.fetch(
        _POSITIONS, acting_tenant(session), wanted.sku, wanted.location, wanted.only_negative,
        *wanted.after, limit,
    )  # fmt: skip
    return [PositionRow(**dict(row)) for row in rows]


async def explain_article(session: Session, sku: str) -> Why:
    """Say why an article is not moving; raises NotFound for one that nothing was ever told of."""
    tenant_id = acting_tenant(session)
    last = await session.fetch_one(_LAST_FACT, tenant_id, sku)
    rows = await session.fetch(_CHANNELS, tenant_id, sku)
    if last is None and not rows:
        raise NotFound
    positions = tuple(await list_positions(session, PositionFilter(sku), 1_000))
    reserved = await session.fetch_value(_HELD, tenant_id, sku) or Decimal(0)
    since = await session.fetch_value(_DUE, tenant_id, sku)
    channels = tuple(_channel(row) for row in rows)
    words = [
        *_of_due(since),
        *(f"{each.channel}: {each.words}" for each in channels),
        *_of_positions(positions),
        *([f"{reserved.normalize():f} are reserved for buyers."] if reserved else []),
        *(await _of_rules(session, tenant_id, sku, channels)),
    ]
    return Why(sku, tuple(words), _told(last), positions, channels, reserved)


def _of_due(since: datetime | None) -> list[str]:
    if since is None:
        return []
    waits_s = max(0, int((clock.now() - since).total_seconds()))
    return [f"News of it came {waits_s} s ago and are not worked out yet."]


def _of_positions(positions: tuple[PositionRow, ...]) -> list[str]:
    return [
        f"{each.location}: {-each.quantity.normalize():f} more sold than were on record since"
        f" {each.negative_since:%Y-%m-%d %H:%M} UTC."
        f"{' Count it there.' if each.counted_at else ' It was never counted there: count it.'}"
        for each in positions
        if each.negative_since is not None
    ]


async def _of_rules(
    session: Session, tenant_id: UUID, sku: str, channels: tuple[ChannelView, ...]
) -> list[str]:
    found = []
    if await session.fetch_value(_KIT, tenant_id, sku):
        found.append("It is a kit: as many are shown as its parts allow.")
    if not channels:
        found.append("No channel has a rule for it, so nobody is told. Set a rule for a channel.")
    return found


def _told(row: Row | None) -> str:
    if row is None:
        return "Nothing was told of it."
    quantity = f"{row['quantity'].normalize():f}"
    what = {
        "count": f"{quantity} counted as {row['to_state']} at {row['to_location']}",
        "movement": f"{quantity} from {row['from_location']} to {row['to_location']}",
        "order": f"order {row['document']} wants {quantity}",
        "shipment": f"{quantity} sent for order {row['document']}",
    }[row["kind"]]
    return (
        f"{row['told_by']} told {row['told_at']:%Y-%m-%d %H:%M:%S} UTC: {what}, as of"
        f" {row['occurred_at']:%Y-%m-%d %H:%M:%S} UTC."
    )


def _channel(row: Row) -> ChannelView:
    return ChannelView(
        row["channel"],
        row["target"],
        row["target_at"],
        row["shown"],
        row["shown_at"],
        row["state"],
        row["code"],
        row["tries"],
        row["not_before"],
        _state_words(row),
    )


def _state_words(row: Row) -> str:
    shown = "nothing was ever told" if row["shown"] is None else f"it shows {row['shown']}"
    may = f"it may show {row['target']}"
    if row["state"] == "shown":
        return f"{shown}, which is all it may show."
    if row["state"] == "frozen":
        return f"{shown}, {may}, and it is frozen. {row['words']}".rstrip()
    if row["state"] == "refused":
        return f"{shown}, {may}, and it refused the last update. {row['words']}".rstrip()
    tried = f" after {row['tries']} tries" if row["tries"] else ""
    later = ""
    if row["not_before"] is not None and row["not_before"] > clock.now():
        later = f", next try {row['not_before']:%H:%M:%S} UTC"
    return f"{shown}, {may}: an update waits{tried}{later}. {row['words']}".rstrip()
