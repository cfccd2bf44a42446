"""Post agreements to the books: each once, in order, as the difference that it makes.

They go out by the voice of the core, so a retailer's flow of postings delivers them like everything
else. An order that was cancelled before anything of it was posted is not posted at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import cast
from uuid import UUID

from app.connections.tenant import acting_tenant
from app.retail.each_retailer import for_each_retailer
from app.retail.orders.agreements import NOTHING, Amounts, LineKey
from app.retail.orders.columns import count, money
from app.retail.voice import CONNECTION, say
from connectors.canonical.event import ORDER_POSTED, Event
from connectors.canonical.money import Money
from connectors.canonical.posting import OrderPosting, PostingLine, PostingReason
from infra.database.pool import Database
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import Row, Session, begin
from infra.keys.vault import TenantKey, Vault

POST_EVERY_S = 2.0
PAGE_ORDERS = 200

# Only where something goes out by the voice of the core; for others agreements wait as they are.
_TENANTS = """
select distinct o.tenant_id from sales_order o where o.is_post_due and exists (
    select from flow f join connection c on c.tenant_id = f.tenant_id and c.id = f.source_connection_id
    where f.tenant_id = o.tenant_id and c.connector = 'core')
"""
# With `post_when` = `shipped` in its settings a flow wants no order before goods of it left.
_FLOW = """
select min(f.created_at) as since, bool_or(f.settings ->> 'post_when' = 'shipped') as when_shipped
from flow f join connection c on c.tenant_id = f.tenant_id and c.id = f.source_connection_id
where f.tenant_id = $1 and c.name = $2 and $3 = any (f.event_types)
"""
_DUE = """
select o.id, o.order_id, o.number, o.status, o.currency, o.day, o.is_test, c.name as channel,
    o.fulfilment, o.kind
from sales_order o join connection c on c.tenant_id = o.tenant_id and c.id = o.connection_id
where o.tenant_id = $1 and o.is_post_due order by o.id limit $2 for update of o
"""
_AGREEMENTS = """
select order_key, number, reason, happened_at, total, posting, made_at,
    min(made_at) over (partition by order_key) as first_made_at
from agreement where tenant_id = $1 and order_key = any ($2) order by order_key, number
"""
_LINES = """
select l.order_key, l.agreement, l.line_type, l.line_id, l.sku, l.quantity, l.net, l.discount, l.tax,
    l.gross
from agreement_line l join agreement a on a.tenant_id = l.tenant_id and a.order_key = l.order_key
    and a.number = l.agreement and a.posting = 'due'
where l.tenant_id = $1 and l.order_key = any ($2) order by l.order_key, l.agreement, l.place
"""
_MARK = """
update agreement set posting = $4, posted_at = case when $4 = 'said' then now() end
from unnest($2::uuid[], $3::int[]) as done (order_key, number)
where agreement.tenant_id = $1 and agreement.order_key = done.order_key
    and agreement.number = done.number and agreement.posting = 'due'
"""
_DONE = "update sales_order set is_post_due = false where tenant_id = $1 and id = any ($2)"


@dataclass(frozen=True, slots=True)
class _Agreed:
    """One agreement on its way to the books, its lines summed up over the refunds they belong to."""

    number: int
    reason: PostingReason
    happened_at: datetime
    posting: str
    first_made_at: datetime
    lines: dict[LineKey, tuple[str | None, Amounts]]


@dataclass(frozen=True, slots=True)
class _Policy:
    """Since when postings are wanted, and whether only of what left the house."""

    since: datetime
    when_shipped: bool


async def post_all(database: Database, vault: Vault) -> int:
    """Post what is due for every retailer; gives how many postings were said. Safe to run twice.

    The fault of one retailer is told and keeps no other waiting.
    """
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_TENANTS)

    async def work(scope: TenantScope) -> int:
        return await post_due(scope, database, vault)

    return await for_each_retailer("order_postings", [row["tenant_id"] for row in rows], work)


async def post_due(scope: TenantScope, database: Database, vault: Vault) -> int:
    """Post the due agreements of one retailer, page by page; gives how many postings were said."""
    key = await vault.current(scope.tenant_id)
    said = 0
    while True:
        async with begin(scope, database) as session:
            policy = await _policy(session)
            page = await _page(session, key, policy) if policy else None
        if page is None:
            return said
        said += page


async def _policy(session: Session) -> _Policy | None:
    row = await session.fetch_one(_FLOW, acting_tenant(session), CONNECTION, ORDER_POSTED)
    if row is None or row["since"] is None:
        return None
    return _Policy(row["since"], bool(row["when_shipped"]))


async def _page(session: Session, key: TenantKey, policy: _Policy) -> int | None:
    """Post one page of orders; None when there is none."""
    tenant_id = acting_tenant(session)
    orders = await session.fetch(_DUE, tenant_id, PAGE_ORDERS)
    if not orders:
        return None
    ids = [row["id"] for row in orders]
    agreed = await _agreed(session, ids)
    events: list[Event] = []
    said: list[tuple[UUID, int]] = []
    dropped: list[tuple[UUID, int]] = []
    for row in orders:
        wanted, unwanted = _decided(row, agreed.get(row["id"], []), policy)
        events += [_event(row, each) for each in wanted]
        said += [(row["id"], each.number) for each in wanted]
        dropped += [(row["id"], each.number) for each in unwanted]
    await say(session, key, events)
    await _mark(session, said, "said")
    await _mark(session, dropped, "not_needed")
    await session.execute(_DONE, tenant_id, ids)
    return len(events)


def _decided(
    order: Row, agreed: Sequence[_Agreed], policy: _Policy
) -> tuple[list[_Agreed], list[_Agreed]]:
    """Say which agreements are posted now, and which never; the others wait for the order to go on."""
    due = [each for each in agreed if each.posting == "due"]
    if not due:
        return [], []
    is_begun = any(each.posting == "said" for each in agreed)
    # What was agreed before postings were wanted went to the books another way.
    if not is_begun and agreed[0].first_made_at < policy.since:
        return [], due
    if not is_begun and order["status"] == "cancelled" and _comes_to_nothing(due):
        return [], due
    waits_for_goods = policy.when_shipped and order["fulfilment"] == "unfulfilled"
    if not is_begun and (order["status"] == "pending" or waits_for_goods):
        return [], []
    return due, []


def _comes_to_nothing(agreed: Sequence[_Agreed]) -> bool:
    sums: dict[LineKey, Amounts] = {}
    for each in agreed:
        for line, (_, amounts) in each.lines.items():
            sums[line] = sums.get(line, NOTHING) + amounts
    return all(amounts.is_nothing() for amounts in sums.values())


async def _agreed(session: Session, ids: list[UUID]) -> dict[UUID, list[_Agreed]]:
    tenant_id = acting_tenant(session)
    rows = await session.fetch(_AGREEMENTS, tenant_id, ids)
    lines: dict[tuple[UUID, int], dict[LineKey, tuple[str | None, Amounts]]] = {}
    for row in await session.fetch(_LINES, tenant_id, ids):
        of_agreement = lines.setdefault((row["order_key"], row["agreement"]), {})
        name: LineKey = (row["line_type"], row["line_id"])
        sku, known = of_agreement.get(name, (None, NOTHING))
        added = Amounts(row["quantity"], row["net"], row["discount"], row["tax"], row["gross"])
        of_agreement[name] = (sku or row["sku"], known + added)
    return {
        order_key: [
            _Agreed(
                row["number"],
                row["reason"],
                row["happened_at"],
                row["posting"],
                row["first_made_at"],
                lines.get((order_key, row["number"]), {}),
            )
            for row in of_order
        ]
        for order_key, of_order in groupby(rows, key=lambda row: cast("UUID", row["order_key"]))
    }


def _event(order: Row, agreed: _Agreed) -> Event:
    """Write one posting; channels may use the same order ids, so its name begins with the channel's."""
    currency = order["currency"]
    lines = tuple(
        PostingLine(
            type=kind,
            line_id=line_id,
            sku=sku,
            quantity=count(amounts.quantity),
            net=money(amounts.net, currency),
            discount=money(amounts.discount, currency),
            tax=money(amounts.tax, currency),
            gross=money(amounts.gross, currency),
        )
        for (kind, line_id), (sku, amounts) in agreed.lines.items()
        if not amounts.is_nothing()
    )
    posting = OrderPosting(
        order_id=order["order_id"],
        number=order["number"],
        agreement=agreed.number,
        reason=agreed.reason,
        happened_at=agreed.happened_at,
        business_day=order["day"],
        channel=order["channel"],
        currency=currency,
        total=money(sum((line.gross for line in lines), NOTHING.gross), currency),
        lines=lines,
    )
    return Event(
        type=ORDER_POSTED,
        key=f"order:{order['channel']}/{order['order_id']}",
        object_id=posting_name(order["channel"], order["order_id"], agreed.number),
        label=f"Posting {agreed.number} of order {order['number']}",
        occurred_at=agreed.happened_at,
        amount=Money(amount=posting.total, currency=posting.currency),
        body=posting,
    )


def posting_name(channel: str, order_id: str, agreement: int) -> str:
    """Name a posting, the same wherever it is asked for."""
    return f"{channel}/{order_id}/{agreement}"


async def _mark(session: Session, done: Sequence[tuple[UUID, int]], posting: str) -> None:
    if done:
        ids, numbers = [each[0] for each in done], [each[1] for each in done]
        await session.execute(_MARK, acting_tenant(session), ids, numbers, posting)
