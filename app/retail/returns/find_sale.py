"""Find the sale of a return in the book: the order as it was told last, by whoever told it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR

from app.connections.tenant import acting_tenant
from app.retail.returns.facts import Fact, Policy, SaleKnown, SaleMissing
from app.retail.returns.fold import Case
from app.retail.returns.prices_paid import prices_seen
from app.retail.returns.sale import sale_of, sale_without_receipt
from app.retail.returns.validate import goes_without_sale
from connectors.canonical.event import ORDER_CHANGED, ORDER_PLACED, TILL_SALE, decode
from connectors.canonical.order import Order
from infra import clock
from infra.database.unit import Row, Session
from infra.ids import Id
from infra.keys.vault import Vault

_TELLS = [ORDER_PLACED, ORDER_CHANGED, TILL_SALE]
# The latest telling of the order; what the return's own source tells of it counts first.
_LATEST = """
select id, sealed, period from event
where tenant_id = $1 and object_id = $2 and type = any($3)
order by connection_id::text = $4 desc, occurred_at desc, id desc limit 1
"""
_IS_KNOWN = "select 1 from return_fact where tenant_id = $1 and return_id = $2 and key = $3"


@dataclass(frozen=True, slots=True)
class SaleSought:
    """The return whose sale is looked for, and who told of it."""

    return_id: Id
    source_key: str

    @property
    def source(self) -> str:
        """Give the connection that told of it, as text."""
        return self.source_key.removeprefix("refund:").partition("/")[0]


async def sale_facts(session: Session, vault: Vault, case: Case, sought: SaleSought) -> list[Fact]:
    """Give what is new about the sale: the sale, or that it is not known here."""
    request = case.request
    if request is None or (case.sale is not None and not request.order_id):
        return []
    if not request.order_id or goes_without_sale(case):
        return [] if case.sale is not None else [await _by_policy(session, case)]
    tenant_id = acting_tenant(session)
    row = await session.fetch_one(_LATEST, tenant_id, request.order_id, _TELLS, sought.source)
    if row is not None:
        key = f"sale:{row['id']}"
        is_known = await session.fetch_value(_IS_KNOWN, tenant_id, sought.return_id, key)
        return [] if is_known else [await _known(session, vault, row, case.policy)]
    return [] if case.is_sale_missing else [SaleMissing(key="sale_missing", at=clock.now())]


async def _known(session: Session, vault: Vault, row: Row, policy: Policy) -> Fact:
    key = await vault.of(acting_tenant(session), row["period"], session)
    event = decode(key.open(f"event|{row['id']}", row["sealed"]))
    order = event.body
    assert isinstance(order, Order)  # noqa: S101 - only types that carry one are looked for
    sale = sale_of(order, points=_points(order, policy))
    return SaleKnown(key=f"sale:{row['id']}", at=event.occurred_at, sale=sale)


def _points(order: Order, policy: Policy) -> int:
    """Give the whole points that a sale earned by the retailer's terms; strangers earn none."""
    if order.customer is None or not order.customer.external_id:
        return 0
    earned = order.total * policy.points_per_money
    return max(int(earned.to_integral_value(ROUND_FLOOR)), 0)


async def _by_policy(session: Session, case: Case) -> Fact:
    """Let the lowest price of the last months stand for the sale that nobody knows."""
    request = case.request
    assert request is not None  # noqa: S101 - the caller looked
    skus = [line.sku for line in request.lines if line.sku is not None]
    seen = await prices_seen(session, skus, request.currency, request.initiated_at)
    sale = sale_without_receipt(request, seen)
    return SaleKnown(key="sale:policy", at=request.initiated_at, sale=sale)
