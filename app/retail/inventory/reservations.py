"""Reservations: goods kept for one buyer for a while, answered at once and never twice.

Who reserves waits for nobody but others who reserve the same article at the same moment: all that
was told of it is folded then and there, so no answer rests on a position that is behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from app.connections.tenant import acting_tenant
from app.retail.inventory.channels import units_shown
from app.retail.inventory.fact_book import mark_due
from app.retail.inventory.stockroom import Stockroom, open_stockroom
from infra import clock
from infra.database.unit import Row, Session
from infra.errors import Conflict, NotFound, Unprocessable
from infra.ids import Id, new_id

# https://docs.commercetools.com/api/projects/carts, reservation of a cart: 1 to 44,640 minutes.
MOST_S = 44_640 * 60
USUAL_S = 15 * 60
# Who is paying when the time is over is not sent away at once.
PAYING_GRACE = timedelta(seconds=60)

_COLUMNS = """id, connection_id, client_key, sku, location, quantity, order_id, state, created_at,
    expires_at, paying_at, ended_at"""
# In a fixed order, so that two who reserve kits of the same parts never wait for each other.
_LOCK = """
select pg_advisory_xact_lock(hashtextextended('reserve:' || $1::text || ':' || sku, 0))
from (select sku from unnest($2::text[]) as sku order by sku) as wanted
"""
_PARTS = """
with recursive down as (
    select component_sku as sku, 1 as depth from kit_component
    where tenant_id = $1 and kit_sku = $2 and valid_to is null
    union
    select k.component_sku, down.depth + 1 from kit_component k join down on k.kit_sku = down.sku
    where k.tenant_id = $1 and k.valid_to is null and down.depth < 3)
select distinct sku from down
"""
_CONNECTION = "select id from connection where tenant_id = $1 and id = $2"
_BY_KEY = f"""
select {_COLUMNS} from reservation where tenant_id = $1 and connection_id = $2 and client_key = $3
"""  # noqa: S608 - names of our own columns
_BY_ID = f"select {_COLUMNS} from reservation where tenant_id = $1 and id = $2"  # noqa: S608 - as above
_ADD = f"""
insert into reservation (tenant_id, id, client_key, connection_id, sku, location, quantity, order_id,
    created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning {_COLUMNS}
"""  # noqa: S608 - as above
_END = f"""
update reservation set state = $3, order_id = case when $4 = '' then order_id else $4 end,
    ended_at = now()
where tenant_id = $1 and id = $2 and state = 'held' returning {_COLUMNS}
"""  # noqa: S608 - as above
_PAYING = f"""
update reservation set paying_at = coalesce(paying_at, now())
where tenant_id = $1 and id = $2 and state = 'held' and expires_at > now() returning {_COLUMNS}
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class Wish:
    """What a buyer wants kept; `client_key` makes a repeat the same reservation."""

    connection_id: Id
    client_key: str
    sku: str
    quantity: Decimal
    ttl_s: int = USUAL_S
    location: str = ""
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Goods kept for a buyer, until when (UTC), and what became of them."""

    id: Id
    connection_id: Id
    client_key: str
    sku: str
    location: str
    quantity: Decimal
    order_id: str
    state: str
    created_at: datetime
    expires_at: datetime
    paying_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the goods are kept; `left` is what the channel could still have at that moment."""

    reservation: Reservation | None
    left: int
    is_new: bool = True


async def reserve(session: Session, wish: Wish) -> Answer:
    """Keep goods for a buyer, or say how many are left. Of many at once none gets what is not there.

    Raises NotFound for a connection that is none, Conflict for a key that was used for another wish,
    Unprocessable when the channel shows nothing at all of the article.
    """
    tenant_id = acting_tenant(session)
    if await session.fetch_value(_CONNECTION, tenant_id, wish.connection_id) is None:
        raise NotFound
    parts = [row["sku"] for row in await session.fetch(_PARTS, tenant_id, wish.sku)]
    await session.fetch(_LOCK, str(tenant_id), sorted({wish.sku, *parts}))
    known = await session.fetch_one(_BY_KEY, tenant_id, wish.connection_id, wish.client_key)
    if known is not None:
        return Answer(_same(_reservation(known), wish), 0, is_new=False)
    room = await open_stockroom(session, tenant_id, [wish.sku])
    left = units_left(room, wish)
    if wish.quantity > left:
        return Answer(None, left)
    now = clock.now()
    row = await session.fetch_one(
        _ADD, tenant_id, new_id(), wish.client_key, wish.connection_id, wish.sku, wish.location,
        wish.quantity, wish.order_id, now, now + timedelta(seconds=wish.ttl_s),
    )  # fmt: skip
    if row is None:
        raise TypeError("an insert with returning gave no row")
    await mark_due(session, tenant_id, {wish.sku: now})
    return Answer(_reservation(row), left - int(wish.quantity))


def units_left(room: Stockroom, wish: Wish) -> int:
    """Give how many units a buyer of this channel could have now, at a place if one is named."""
    rule = room.rules.of(wish.connection_id, wish.sku)
    if rule is None:
        raise Unprocessable(
            f"This channel has no rule for {wish.sku}, so nothing of it can be sold there. Set a rule"
            " for the channel first.",
            code="reservation.no_rule",
        )
    left = units_shown(wish.sku, rule, room.shelves, room.rules)
    if wish.location and wish.sku not in room.rules.kits:
        shelf = room.shelves[wish.sku]
        kept = sum(each.quantity for each in shelf.kept if each.location == wish.location)
        here = (shelf.available(wish.location) - kept).to_integral_value(ROUND_FLOOR)
        return max(0, min(left, int(here) - rule.safety_units))
    return left


async def convert_reservation(session: Session, reservation_id: Id, order_id: str) -> Reservation:
    """Let an order take what was kept; the goods stay kept until the order itself is known.

    Raises NotFound, and Conflict when the time was over. Converting twice is harmless.
    """
    known = await read_reservation(session, reservation_id)
    if known.state == "converted" and known.order_id == order_id:
        return known
    row = None
    if clock.now() < held_until(known):
        row = await session.fetch_one(
            _END, acting_tenant(session), reservation_id, "converted", order_id
        )
    return await _ended(session, row, known)


async def release_reservation(session: Session, reservation_id: Id) -> Reservation:
    """Give back what was kept. Raises NotFound, Conflict when it was converted. Twice is harmless."""
    known = await read_reservation(session, reservation_id)
    if known.state in {"released", "expired"}:
        return known
    row = await session.fetch_one(_END, acting_tenant(session), reservation_id, "released", "")
    return await _ended(session, row, known)


async def note_paying(session: Session, reservation_id: Id) -> Reservation:
    """Note that the buyer is paying: the goods are kept 60 s beyond the end, then it fails."""
    known = await read_reservation(session, reservation_id)
    row = await session.fetch_one(_PAYING, acting_tenant(session), reservation_id)
    return _reservation(row) if row is not None else await _ended(session, None, known)


async def read_reservation(session: Session, reservation_id: Id) -> Reservation:
    """Give one reservation; raises NotFound."""
    row = await session.fetch_one(_BY_ID, acting_tenant(session), reservation_id)
    if row is None:
        raise NotFound
    return _reservation(row)


def held_until(reservation: Reservation) -> datetime:
    """Say until when goods are kept: a little longer for who is paying."""
    grace = PAYING_GRACE if reservation.paying_at is not None else timedelta()
    return reservation.expires_at + grace


async def _ended(session: Session, row: Row | None, known: Reservation) -> Reservation:
    if row is None:
        refusal = _OVER.get(known.state, _expired)()
        raise refusal
    await mark_due(session, acting_tenant(session), {row["sku"]: clock.now()})
    return _reservation(row)


def _expired() -> Conflict:
    words = "The time of this reservation is over. Reserve again."
    return Conflict(words, code="reservation.expired")


def _converted() -> Conflict:
    return Conflict("An order has taken this reservation.", code="reservation.converted")


def _released() -> Conflict:
    return Conflict("This reservation was given back.", code="reservation.released")


_OVER = {"converted": _converted, "released": _released}


def _same(known: Reservation, wish: Wish) -> Reservation:
    told = (known.sku, known.quantity, known.location)
    if told != (wish.sku, wish.quantity, wish.location):
        raise Conflict(
            f"The key {wish.client_key} was used for {known.quantity.normalize():f} of {known.sku}."
            " Use a key of its own for each reservation.",
            code="reservation.key_used",
        )
    return known


def _reservation(row: Row) -> Reservation:
    return Reservation(**dict(row))
