"""What a channel owes for each order by our own sale records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from app.retail.journals.facts import Fact
from app.retail.journals.records import decode_facts
from app.retail.settlements.match import Expected
from infra.database.unit import Session

# As each document stands now: its last telling.
_STANDING = """
select distinct on (document) document, reference, kind, business_day, facts::text
from sale_record where tenant_id = $1 and reference = any ($2) and kind in ('order', 'refund')
order by document, told_at desc, version desc, revision desc, event_id desc
"""
_OWED = frozenset({"tender", "marketplace_tender", "withheld_tax"})


async def expected_of(session: Session, tenant_id: UUID, orders: Sequence[str]) -> list[Expected]:
    """Give what these orders should bring, sales and refunds apart; unknown orders are left out."""
    rows = await session.fetch(_STANDING, tenant_id, orders)
    sales: dict[str, tuple[date, Decimal]] = {}
    refunds: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        owed = owed_of(decode_facts(row["facts"]))
        if row["kind"] == "refund":
            refunds[row["reference"]] += owed
        else:
            sales[row["reference"]] = (row["business_day"], owed)
    return [
        Expected(order_ref, sold_on, sale, refunds[order_ref])
        for order_ref, (sold_on, sale) in sorted(sales.items())
    ]


def owed_of(facts: Sequence[Fact]) -> Decimal:
    """Give what the channel owes of a document: what was paid through it, less tax that it keeps."""
    paid = sum((fact.amount for fact in facts if fact.kind in _OWED), Decimal(0))
    kept = sum((fact.amount for fact in facts if fact.kind == "marketplace_tax"), Decimal(0))
    return paid - kept
