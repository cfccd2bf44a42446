"""Where prices go: places behind connections, with their clock, their money and their scopes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.connections.tenant import acting_tenant
from app.retail.prices.timeline import Place
from connectors.canonical.price import EVERYWHERE, Destination, PriceScope, ScopeKind
from infra.database.unit import Row, Session
from infra.errors import Unprocessable
from infra.ids import Id, new_id
from tenants.audit import record

TargetKind = Literal["store", "channel"]
LEAD_USUAL_S = 14_400

_COLUMNS = (
    "t.id, t.connection_id, c.name as connection, t.place, t.kind,"
    " t.scopes, t.zone, t.currency, t.is_tax_inclusive, t.tax_rate, t.schedules_ahead, t.lead_s,"
    " t.phone, t.is_active"
)
_LIST = f"""
select {_COLUMNS} from price_target t
join connection c on c.tenant_id = t.tenant_id and c.id = t.connection_id
where t.tenant_id = $1 and ($2 or t.is_active) order by length(t.place), t.place, t.id
"""  # noqa: S608 - constants only
_WRITE = """
insert into price_target (tenant_id, id, connection_id, place, kind, scopes, zone, currency,
    is_tax_inclusive, tax_rate, schedules_ahead, lead_s, phone, is_active)
select $1, $2, c.id, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
from connection c where c.tenant_id = $1 and c.name = $3
on conflict (tenant_id, connection_id, place) do update set kind = excluded.kind,
    scopes = excluded.scopes, zone = excluded.zone, currency = excluded.currency,
    is_tax_inclusive = excluded.is_tax_inclusive, tax_rate = excluded.tax_rate,
    schedules_ahead = excluded.schedules_ahead, lead_s = excluded.lead_s, phone = excluded.phone,
    is_active = excluded.is_active, changed_at = now()
where (price_target.kind, price_target.scopes, price_target.zone, price_target.currency,
        price_target.is_tax_inclusive, price_target.tax_rate, price_target.schedules_ahead,
        price_target.lead_s, price_target.phone, price_target.is_active)
    is distinct from (excluded.kind, excluded.scopes, excluded.zone, excluded.currency,
        excluded.is_tax_inclusive, excluded.tax_rate, excluded.schedules_ahead, excluded.lead_s,
        excluded.phone, excluded.is_active)
returning id
"""
_FIND = """
select t.id from price_target t
join connection c on c.tenant_id = t.tenant_id and c.id = t.connection_id
where t.tenant_id = $1 and c.name = $2 and t.place = $3
"""
# What a place that is switched off was not told yet, it is not told any more.
_DROP = """
update price_activation set state = 'withdrawn', due_at = 'infinity', code = '', words = ''
where tenant_id = $1 and target_id = $2 and state in ('planned', 'sent', 'failed')
"""
# A place that is new, or has another clock, needs everything worked out again.
_ALL_DUE = """
insert into price_due (tenant_id, subject, item)
select distinct tenant_id, subject, item from price_version
where tenant_id = $1 and state = 'current' on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Target:
    """One place that takes prices; `scopes` hold its own (its place) and what else it belongs to."""

    id: Id
    connection_id: Id
    connection: str
    place: str
    kind: TargetKind
    scopes: frozenset[PriceScope]
    zone: str
    currency: str
    is_tax_inclusive: bool = False
    tax_rate: Decimal | None = None
    schedules_ahead: bool = False
    lead_s: int = LEAD_USUAL_S
    phone: str = ""
    is_active: bool = True

    @property
    def as_place(self) -> Place:
        """Give it as prices see it."""
        return Place(self.zone, self.currency, self.scopes)

    @property
    def further_scopes(self) -> list[str]:
        """Give what it belongs to besides itself, as kind:name."""
        own = PriceScope(kind=self.kind, name=self.place)
        return sorted(f"{each.kind}:{each.name}" for each in self.scopes - {own})

    @property
    def destination(self) -> Destination:
        """Give what its prices are told in."""
        return Destination(self.currency, self.is_tax_inclusive, self.tax_rate)

    @property
    def title(self) -> str:
        """Give what people call it: store 12, web shop."""
        return f"store {self.place}" if self.kind == "store" else self.place


@dataclass(frozen=True, slots=True)
class WantedTarget:
    """A place as it shall be; `connection` by its name, `scopes` as kind:name."""

    connection: str
    place: str
    zone: str
    currency: str
    kind: TargetKind = "store"
    scopes: tuple[str, ...] = ()
    is_tax_inclusive: bool = False
    tax_rate: Decimal | None = None
    schedules_ahead: bool = False
    lead_s: int = LEAD_USUAL_S
    phone: str = ""
    is_active: bool = True


async def ensure_target(session: Session, wanted: WantedTarget) -> Id:
    """Make a place take prices as wanted, or change it; everything is worked out for it again.

    The same again changes nothing.
    Raises: Unprocessable for a zone, scope or connection that does not exist.
    """
    try:
        ZoneInfo(wanted.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        words = f"{wanted.zone} is no time zone. Write one such as America/New_York."
        raise Unprocessable(words, code="price.zone_unknown") from None
    for scope in wanted.scopes:
        read_scope(scope)
    tenant_id = acting_tenant(session)
    target_id: Id | None = await session.fetch_value(
        _WRITE,
        tenant_id,
        new_id(),
        wanted.connection,
        wanted.place,
        wanted.kind,
        sorted(wanted.scopes),
        wanted.zone,
        wanted.currency,
        wanted.is_tax_inclusive,
        wanted.tax_rate,
        wanted.schedules_ahead,
        wanted.lead_s,
        wanted.phone,
        wanted.is_active,
    )
    if target_id is None:
        return await _unchanged(session, wanted)
    if not wanted.is_active:
        await session.execute(_DROP, tenant_id, target_id)
    await session.execute(_ALL_DUE, tenant_id)
    detail = {"connection": wanted.connection, "place": wanted.place, "zone": wanted.zone}
    await record(session, "prices.set_target", f"price_target:{target_id}", detail)
    return target_id


async def _unchanged(session: Session, wanted: WantedTarget) -> Id:
    found: Id | None = await session.fetch_value(
        _FIND, acting_tenant(session), wanted.connection, wanted.place
    )
    if found is None:
        words = f"There is no connection called {wanted.connection}. Set it up first."
        raise Unprocessable(words, code="price.connection_missing")
    return found


async def read_targets(session: Session, *, with_inactive: bool = False) -> list[Target]:
    """Give the places of the acting retailer, by the number of the store."""
    rows = await session.fetch(_LIST, acting_tenant(session), with_inactive)
    return [_target(row) for row in rows]


def read_scope(text: str) -> PriceScope:
    """Read region:west; raises Unprocessable."""
    kind, _, name = text.partition(":")
    if kind not in get_args(ScopeKind) or kind == EVERYWHERE.kind or not name:
        words = f"{text!r} is no scope. Write kind:name, such as region:west or store_group:outlet."
        raise Unprocessable(words, code="price.scope_unknown")
    return PriceScope(kind=cast("ScopeKind", kind), name=name)


def named(targets: Sequence[Target]) -> str:
    """Name places in words: `12, 17, 31`, at most ten of them."""
    shown = [target.place for target in targets[:10]]
    more = len(targets) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _target(row: Row) -> Target:
    own = PriceScope(kind=row["kind"], name=row["place"])
    return Target(
        id=row["id"],
        connection_id=row["connection_id"],
        connection=row["connection"],
        place=row["place"],
        kind=row["kind"],
        scopes=frozenset({own, *map(read_scope, row["scopes"])}),
        zone=row["zone"],
        currency=row["currency"],
        is_tax_inclusive=row["is_tax_inclusive"],
        tax_rate=row["tax_rate"],
        schedules_ahead=row["schedules_ahead"],
        lead_s=row["lead_s"],
        phone=row["phone"],
        is_active=row["is_active"],
    )
