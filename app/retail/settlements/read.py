"""Read settlements for finance: what each comes to step by step, how much agrees, what differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import get_args
from uuid import UUID

from app.retail.settlements.take import MATCH_BREAKS
from connectors.canonical.settlement import Category
from infra.database.unit import Row, Session
from infra.errors import NotFound

_COLUMNS = (
    "id, channel, external_id, account, currency, period_start, period_end, deposited_on,"
    " opening_reserve, closing_reserve, payout, unexplained, bank_reference, taken_at"
)
_LIST = f"""
select {_COLUMNS} from settlement where tenant_id = $1 and ($2 = '' or channel = $2)
    and ($3::uuid is null or id < $3)
order by id desc limit $4
"""  # noqa: S608 - our own names
_ONE = f"select {_COLUMNS} from settlement where tenant_id = $1 and id = $2"  # noqa: S608 - ours
_SUMS = """
select category, count(*) as lines, sum(amount) as amount from settlement_line
where tenant_id = $1 and settlement_id = $2 group by category
"""
# Lines of orders that agree, and of those that do not.
_AGREED = """
select l.order_ref = any ($3) as differs, count(*) as lines, count(distinct l.order_ref) as orders,
    sum(abs(l.amount)) as amount
from settlement_line l where l.tenant_id = $1 and l.settlement_id = $2 and l.order_ref <> ''
group by 1
"""
_DIFFERING = """
select distinct substr(key, length($3) + 2) as order_ref from break
where tenant_id = $1 and place = $2 and state = 'open' and kind = any ($4)
"""
# What a customer paid: the measure for what is unexplained.
_GROSS = frozenset({"principal", "shipping", "gift_wrap"})


@dataclass(frozen=True, slots=True)
class SettlementHead:
    """A settlement as it was told; `place` is the name of its journal and of its breaks."""

    id: UUID
    channel: str
    external_id: str
    account: str
    currency: str
    period_start: datetime
    period_end: datetime
    deposited_on: date | None
    opening_reserve: Decimal
    closing_reserve: Decimal
    payout: Decimal
    unexplained: Decimal
    bank_reference: str
    taken_at: datetime

    @property
    def place(self) -> str:
        """Give the name under which it is booked."""
        return place_of(self.channel, self.external_id)


@dataclass(frozen=True, slots=True)
class Step:
    """One step from nothing to the payout: a category with its lines and its money."""

    name: str
    lines: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much agrees with what was sold, by order; amounts are without sign."""

    lines: int
    orders: int
    orders_agreed: int
    lines_agreed: int
    amount: Decimal
    amount_agreed: Decimal


@dataclass(frozen=True, slots=True)
class SettlementPage:
    """All that finance needs of one settlement; `unexplained_bp` is of gross sales, in basis points."""

    head: SettlementHead
    waterfall: tuple[Step, ...]
    agreement: Agreement
    unexplained_bp: Decimal


def place_of(channel: str, external_id: str) -> str:
    """Name a settlement where it is booked and where its breaks are told."""
    return f"{channel}/{external_id}"


async def list_settlements(
    session: Session,
    tenant_id: UUID,
    *,
    channel: str = "",
    before: UUID | None = None,
    limit: int = 200,
) -> list[SettlementHead]:
    """List settlements, the last taken first, those taken before the id `before`."""
    rows = await session.fetch(_LIST, tenant_id, channel, before, limit)
    return [SettlementHead(**dict(row)) for row in rows]


async def read_settlement(session: Session, tenant_id: UUID, settlement_id: UUID) -> SettlementPage:
    """Give one settlement with its steps; raises NotFound."""
    row = await session.fetch_one(_ONE, tenant_id, settlement_id)
    if row is None:
        raise NotFound
    head = SettlementHead(**dict(row))
    sums = {each["category"]: each for each in await session.fetch(_SUMS, tenant_id, head.id)}
    kinds = list(MATCH_BREAKS)
    differing = await session.fetch(_DIFFERING, tenant_id, head.place, head.channel, kinds)
    orders = [each["order_ref"] for each in differing]
    parts = await session.fetch(_AGREED, tenant_id, head.id, orders)
    gross = sum((each["amount"] for name, each in sums.items() if name in _GROSS), Decimal(0))
    share = abs(head.unexplained) / gross if gross else Decimal(0)
    return SettlementPage(
        head=head,
        waterfall=_waterfall(head, sums),
        agreement=_agreement(sum(each["lines"] for each in sums.values()), parts),
        unexplained_bp=(share * 10_000).quantize(Decimal("0.1")),
    )


def _waterfall(head: SettlementHead, sums: dict[str, Row]) -> tuple[Step, ...]:
    """Put the steps in one order always, so that two settlements can be laid side by side."""
    steps = [Step("opening_reserve", 0, head.opening_reserve)]
    steps += [
        Step(name, sums[name]["lines"], sums[name]["amount"])
        for name in get_args(Category)
        if name in sums
    ]
    steps.append(Step("closing_reserve", 0, -head.closing_reserve))
    return (*steps, Step("payout", 0, head.payout))


def _agreement(lines: int, parts: list[Row]) -> Agreement:
    agreed = [each for each in parts if not each["differs"]]
    return Agreement(
        lines=lines,
        orders=sum(each["orders"] for each in parts),
        orders_agreed=sum(each["orders"] for each in agreed),
        lines_agreed=sum(each["lines"] for each in agreed),
        amount=sum((each["amount"] for each in parts), Decimal(0)),
        amount_agreed=sum((each["amount"] for each in agreed), Decimal(0)),
    )
