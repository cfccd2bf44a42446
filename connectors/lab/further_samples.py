"""Samples beside orders: stock, products, prices, returns, and what finance is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from connectors.canonical.acknowledgement import OrderAcknowledgement
from connectors.canonical.event import (
    JOURNAL_POSTED,
    ORDER_ACKNOWLEDGED,
    ORDER_POSTED,
    OVERSELL_DECIDED,
    PRICE_SET,
    PRODUCT_SET,
    PROMOTION_SET,
    RETURN_CASH_DUE,
    RETURN_CREDIT_DUE,
    RETURN_CUSTOMER_DUE,
    RETURN_HISTORY_DUE,
    RETURN_NUMBER_DUE,
    RETURN_POINTS_DUE,
    RETURN_REFUND_DUE,
    RETURN_REVERSAL_DUE,
    RETURN_STOCK_DUE,
    RETURN_TOLD,
    SETTLEMENT_TOLD,
    STOCK_COUNT,
    STOCK_MOVEMENT,
    Body,
)
from connectors.canonical.inventory import InventoryCount, InventoryMovement, StockPlace
from connectors.canonical.journal import Journal, JournalLine
from connectors.canonical.oversell import OversellDecision
from connectors.canonical.posting import OrderPosting, PostingLine
from connectors.canonical.price import Price
from connectors.canonical.product import Product, Variant
from connectors.canonical.promotion import Benefit, Promotion
from connectors.canonical.return_step import ReturnStep, ReturnTask
from connectors.canonical.returns import Return
from connectors.canonical.settlement import Settlement, SettlementLine

_AT = datetime(2026, 11, 27, 14, 3, tzinfo=UTC)
_DAY = date(2026, 11, 27)
_TOTAL = Decimal("52.92")
_FROM = datetime(2026, 11, 28)  # noqa: DTZ001 - the clock on the wall

# Type of event -> its body, its key and the id of its object.
FURTHER: dict[str, tuple[Body, str, str]] = {
    STOCK_MOVEMENT: (
        InventoryMovement(
            movement_id="M1",
            sku="MM-0001",
            quantity=Decimal(2),
            from_place=StockPlace(location="supplier"),
            to_place=StockPlace(location="main"),
            reason="receipt",
            occurred_at=_AT,
        ),
        "stock:main/MM-0001",
        "M1",
    ),
    STOCK_COUNT: (
        InventoryCount(
            count_id="C1", sku="MM-0001", location="main", quantity=Decimal(7), as_of=_AT
        ),
        "stock:main/MM-0001",
        "C1",
    ),
    PRODUCT_SET: (
        Product(product_id="P1", title="Canvas Tote", variants=(Variant(sku="MM-0001"),)),
        "product:P1",
        "P1",
    ),
    PRICE_SET: (
        Price(
            price_id="PR1",
            sku="MM-0001",
            amount=Decimal("24.50"),
            currency="USD",
            effective_from=_FROM,
        ),
        "price:MM-0001/tenant/",
        "PR1",
    ),
    PROMOTION_SET: (
        Promotion(
            promotion_id="PM1",
            name="A tenth off",
            kind="percent",
            benefit=Benefit(percent=Decimal(10)),
            effective_from=_FROM,
        ),
        "promotion:PM1",
        "PM1",
    ),
    RETURN_TOLD: (
        Return(
            return_id="RT1",
            number="RT-1",
            kind="in_store",
            order_id="1001",
            currency="USD",
            initiated_at=_AT,
        ),
        "return:RT1",
        "RT1",
    ),
    SETTLEMENT_TOLD: (
        Settlement(
            settlement_id="ST1",
            channel="marketplace",
            currency="USD",
            period_start=_AT,
            period_end=_AT,
            payout=_TOTAL,
            lines=(
                SettlementLine(
                    posted_at=_AT,
                    transaction_type="Order",
                    type="ItemPrice",
                    description="Principal",
                    amount=_TOTAL,
                    order_ref="1001",
                ),
            ),
        ),
        "settlement:marketplace/ST1",
        "ST1",
    ),
    JOURNAL_POSTED: (
        Journal(
            entity="main",
            kind="sales_day",
            place="S1",
            day=_DAY,
            posted_on=_DAY,
            currency="USD",
            revision=1,
            status="balanced",
            source_hash="00",
            lines=(
                JournalLine(role="tender", detail="card", account="1200", debit=_TOTAL),
                JournalLine(role="revenue", account="4000", credit=_TOTAL),
            ),
        ),
        "journal:main/sales_day/S1/2026-11-27",
        "main/sales_day/S1/2026-11-27/USD/1",
    ),
    ORDER_POSTED: (
        OrderPosting(
            order_id="1001",
            number="#1001",
            agreement=1,
            reason="order",
            happened_at=_AT,
            currency="USD",
            total=_TOTAL,
            lines=(PostingLine(type="product", line_id="1", sku="MM-0001", gross=_TOTAL),),
        ),
        "order:1001",
        "1001/1",
    ),
    ORDER_ACKNOWLEDGED: (
        OrderAcknowledgement(order_id="1001", number="#1001", channel="web", acknowledged_at=_AT),
        "order:web/1001",
        "web/1001",
    ),
    OVERSELL_DECIDED: (
        OversellDecision(
            case_id="OC-1",
            channel="web",
            order_id="1001",
            sku="MM-0001",
            quantity=Decimal(1),
            resolution="cancel",
            message="We are sorry: it was sold out.",
            decided_at=_AT,
            currency="USD",
        ),
        "order:1001",
        "OC-1",
    ),
}

_TASKS: dict[str, ReturnTask] = {
    RETURN_NUMBER_DUE: "number",
    RETURN_STOCK_DUE: "stock",
    RETURN_REFUND_DUE: "refund",
    RETURN_CREDIT_DUE: "credit",
    RETURN_CASH_DUE: "cash",
    RETURN_REVERSAL_DUE: "reversal",
    RETURN_POINTS_DUE: "points",
    RETURN_HISTORY_DUE: "history",
    RETURN_CUSTOMER_DUE: "customer",
}
FURTHER.update(
    {
        event_type: (
            ReturnStep(
                step_id=f"RT1/{task}",
                return_id="RT1",
                number="RT-1",
                kind="in_store",
                task=task,
                asked_at=_AT,
                order_id="1001",
                currency="USD",
            ),
            f"return:RT1/{task}",
            f"RT1/{task}",
        )
        for event_type, task in _TASKS.items()
    }
)
