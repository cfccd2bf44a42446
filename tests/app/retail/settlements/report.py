"""A settlement report in the layout of flat file V2, written and read for tests, seeded and exact."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

from app.retail.settlements.match import Expected
from connectors.canonical.settlement import Settlement, SettlementLine

COLUMNS = (
    "settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount",
    "currency", "transaction-type", "order-id", "marketplace-name", "amount-type",
    "amount-description", "amount", "posted-date-time", "order-item-code", "sku",
    "quantity-purchased",
)  # fmt: skip
START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 11, 15, tzinfo=UTC)
D = Decimal
NONE = Decimal(0)

Row = tuple[str, str, str, str, str]  # transaction, order, type, description, amount


@dataclass(frozen=True, slots=True)
class World:
    """Orders as sold, and the rows of the report that pays them."""

    expected: list[Expected]
    rows: list[Row]


def sold(orders: int, seed: int = 7) -> World:
    """Make orders with price, tax in and out, commission and fulfilment; one in twenty refunded."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, nothing to guess
    expected, rows = [], []
    for number in range(orders):
        order = f"112-{number:07d}"
        price = D(chance.randint(500, 20_000)).scaleb(-2)
        tax, fee = (price * D("0.08")).quantize(D("0.01")), (price * D("0.15")).quantize(D("0.01"))
        rows += [
            ("Order", order, "ItemPrice", "Principal", str(price)),
            ("Order", order, "ItemPrice", "Tax", str(tax)),
            ("Order", order, "ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", str(-tax)),
            ("Order", order, "ItemFees", "Commission", str(-fee)),
            ("Order", order, "ItemFees", "FBAPerUnitFulfillmentFee", "-3.22"),
        ]
        refunded = D(0)
        if number % 20 == 0:
            refunded = -price
            rows.append(("Refund", order, "ItemPrice", "Principal", str(refunded)))
        expected.append(Expected(order, date(2026, 11, 3), price, refunded, -fee - D("3.22")))
    return World(expected, rows)


def as_tsv(rows: Sequence[Row], *, off: Decimal = NONE) -> str:
    """Write a report whose total is exact, or `off` by something."""
    total = sum((D(row[4]) for row in rows), D(0)) + off
    out = StringIO()
    table = csv.DictWriter(out, COLUMNS, delimiter="\t", lineterminator="\n", restval="")
    table.writeheader()
    table.writerow({
        "settlement-id": "19874", "settlement-start-date": START.isoformat(),
        "settlement-end-date": END.isoformat(), "deposit-date": "2026-11-17T00:00:00+00:00",
        "total-amount": str(total), "currency": "USD",
    })  # fmt: skip
    for at, (transaction, order, type_, description, amount) in enumerate(rows):
        table.writerow({
            "settlement-id": "19874", "transaction-type": transaction, "order-id": order,
            "amount-type": type_, "amount-description": description, "amount": amount,
            "posted-date-time": (START + timedelta(seconds=at)).isoformat(),
        })  # fmt: skip
    return out.getvalue()


def read(text: str) -> Settlement:
    """Read a report of this layout as the canonical settlement."""
    head, *rows = list(csv.DictReader(StringIO(text), delimiter="\t"))
    return Settlement(
        settlement_id=head["settlement-id"],
        channel="amazon",
        currency=head["currency"],
        period_start=datetime.fromisoformat(head["settlement-start-date"]),
        period_end=datetime.fromisoformat(head["settlement-end-date"]),
        deposited_on=datetime.fromisoformat(head["deposit-date"]).date(),
        payout=D(head["total-amount"]),
        lines=tuple(
            SettlementLine(
                posted_at=datetime.fromisoformat(row["posted-date-time"]),
                transaction_type=row["transaction-type"],
                type=row["amount-type"],
                description=row["amount-description"],
                amount=D(row["amount"]),
                order_ref=row["order-id"],
                sku=row["sku"],
            )
            for row in rows
        ),
    )


def settlement_event(settlement_id: str) -> dict[str, Any]:
    """Write a small settlement as a CloudEvent."""
    line = {
        "posted_at": START.isoformat(), "transaction_type": "Order", "type": "ItemPrice",
        "description": "Principal", "amount": "20.00", "order_ref": "o-1",
    }  # fmt: skip
    settlement = {
        "settlement_id": settlement_id, "channel": "amazon", "currency": "USD", "payout": "20.00",
        "period_start": START.isoformat(), "period_end": END.isoformat(), "lines": [line],
    }  # fmt: skip
    head = {"specversion": "1.0", "id": settlement_id, "source": "source", "data": settlement}
    return {**head, "type": "retail.settlement.told.v1", "time": END.isoformat()}
