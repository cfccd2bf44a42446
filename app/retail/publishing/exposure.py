"""How channels stand: what each shows too much of, in units and money, what waits, and until when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from app.connections.directory import BookedConnection
from app.connections.limits import read_limits
from app.connections.tenant import acting_tenant
from app.retail.publishing.hold import other_path, two_paths
from connectors.canonical.money import Money, minor_units
from infra import clock
from infra.database.unit import Row, Session
from infra.ids import Id

# The most that a channel may be showing of an article: an answer that was lost counts as the worse.
_READ = """
select c.id as connection_id, c.name, c.title, c.state as connection_state,
    count(p.sku) as articles,
    count(*) filter (where p.state = 'due') as due,
    count(*) filter (where p.state = 'refused') as refused,
    count(*) filter (where p.state = 'frozen') as frozen,
    count(*) filter (where p.too_much > 0) as exposed_articles,
    coalesce(sum(p.too_much), 0)::bigint as exposed_units,
    min(p.occurred_at) filter (where p.state = 'due') as oldest_at,
    max(p.shown_at) as shown_at
from channel_turn t
join connection c on (c.tenant_id, c.id) = (t.tenant_id, t.connection_id)
left join lateral (
    select sku, state, occurred_at, shown_at,
        greatest(0, greatest(coalesce(shown, 0), coalesce(sent, 0)) - target) as too_much
    from channel_position where tenant_id = c.tenant_id and connection_id = c.id) p on true
where t.tenant_id = $1
group by c.id, c.name, c.title, c.state order by c.name
"""
_MONEY = """
select connection_id, currency,
    sum(greatest(0, greatest(coalesce(shown, 0), coalesce(sent, 0)) - target) * unit_price) as amount
from channel_position where tenant_id = $1 and unit_price is not null and currency is not null
    and greatest(coalesce(shown, 0), coalesce(sent, 0)) > target
group by connection_id, currency order by connection_id, currency
"""
# Shorter waits for a quota are no news to anybody.
SHORT_S = 1.0


@dataclass(frozen=True, slots=True)
class ChannelState:
    """One channel as it stands; times in UTC.

    `exposed_units`: shown although they may not be; `exposed` is their money, one amount for each
    currency. `oldest_at`: when the earliest thing happened that it does not show. `limited_until`:
    its quota lets the last of what is exposed go then; None when nothing waits for a quota.
    `held`: why nothing is published to it at all, in words.
    """

    connection_id: Id
    name: str
    title: str
    connection_state: str
    articles: int
    due: int
    refused: int
    frozen: int
    exposed_articles: int
    exposed_units: int
    oldest_at: datetime | None
    shown_at: datetime | None
    exposed: tuple[Money, ...] = ()
    limited_until: datetime | None = None
    held: str = ""

    @property
    def words(self) -> str:
        """Say in one sentence what a person has to know."""
        named = self.title or self.name
        if self.held:
            return self.held
        if not self.exposed_units:
            return f"{named} shows nothing that is not there."
        money = ", ".join(f"{_plain(each)}" for each in self.exposed)
        units = f"{self.exposed_units} units" if self.exposed_units > 1 else "1 unit"
        told = f"Exposure: {units}{f' / {money}' if money else ''} on {named}"
        if self.limited_until is None:
            return f"{told}."
        left_s = max(1, round((self.limited_until - clock.now()).total_seconds()))
        return f"{told}, limited by its quota, clears in {left_s} s."


async def read_channels(session: Session) -> list[ChannelState]:
    """Read all channels of the acting retailer by name, without what its quotas say."""
    tenant_id = acting_tenant(session)
    money: dict[Id, list[Money]] = {}
    for row in await session.fetch(_MONEY, tenant_id):
        amount = Decimal(row["amount"])
        told = Money(amount=amount, currency=row["currency"])
        money.setdefault(row["connection_id"], []).append(told)
    found = [_state(row, money) for row in await session.fetch(_READ, tenant_id)]
    others = [await other_path(session, tenant_id, each.connection_id) for each in found]
    return [
        replace(each, held=two_paths(flow) if flow else "")
        for each, flow in zip(found, others, strict=True)
    ]


async def with_quota(
    session: Session, state: ChannelState, booked: BookedConnection | None
) -> ChannelState:
    """Say until when the quota of a channel holds back what is exposed."""
    if booked is None or not state.exposed_articles:
        return state
    limits = await read_limits(session, booked)
    budget = next((each for each in limits.budgets if each.bucket == ""), None)
    if budget is None:
        return state
    now = clock.now()
    missing = max(0.0, state.exposed_articles - budget.tokens)
    until = max(budget.paused_until or now, now) + timedelta(seconds=missing / budget.rate_per_s)
    is_limited = (until - now).total_seconds() > SHORT_S
    return replace(state, limited_until=until) if is_limited else state


def _state(row: Row, money: dict[Id, list[Money]]) -> ChannelState:
    return ChannelState(**dict(row), exposed=tuple(money.get(row["connection_id"], ())))


def _plain(money: Money) -> str:
    return f"{money.amount:,.{minor_units(money.currency)}f} {money.currency}"
