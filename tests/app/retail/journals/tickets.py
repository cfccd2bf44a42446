"""Tickets, orders and refunds for tests of journals: by hand, and by hypothesis."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from connectors.canonical.money import minor_units
from connectors.canonical.order import Line, Order, Refund, Tax, Tender, TenderKind

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)
D = Decimal
KINDS: tuple[TenderKind, ...] = (
    "cash", "card", "wallet", "gift_card", "store_credit", "voucher", "account", "check",
    "marketplace", "change", "rounding", "other",
)  # fmt: skip


def line(gross: str, tax: str = "0", *, quantity: int = 1, sku: str | None = "A") -> Line:
    """Make a line of one article, tax on top of its price."""
    net = D(gross) - D(tax)
    return Line(
        line_id="1",
        sku=sku,
        title=sku or "Unknown",
        quantity=D(quantity),
        unit_price=abs(net),
        net=net,
        taxes=(Tax(name="Sales tax", amount=D(tax)),) if D(tax) else (),
        gross=D(gross),
    )


def ticket(
    *lines: Line, paid: tuple[tuple[TenderKind, str], ...] = (), number: int = 1, **changes: object
) -> Order:
    """Make a till ticket of store 12, till 1; paid in cash unless said otherwise."""
    total = sum((each.gross for each in lines), D(0))
    kinds = paid or (("cash", str(total)),)
    told = {
        "order_id": f"12/{DAY}/1/{number}",
        "number": str(number),
        "kind": "pos",
        "currency": "USD",
        "placed_at": AT,
        "business_day": DAY,
        "store": "12",
        "workstation": "1",
        "sequence": str(number),
        "lines": lines,
        "total": total,
        "tenders": tuple(Tender(kind=kind, name=kind, amount=D(text)) for kind, text in kinds),
    }
    return Order(**{**told, **changes})  # type: ignore[arg-type]


@st.composite
def money(draw: st.DrawFn, currency: str = "USD") -> Decimal:
    """Draw an amount with the currency's decimals, negative ones too."""
    return D(draw(st.integers(-50_000, 50_000))).scaleb(-minor_units(currency))


@st.composite
def lines(draw: st.DrawFn, currency: str = "USD") -> Line:
    """Draw a line; its amounts need not fit together, for a source may say anything."""
    return Line(
        line_id=str(draw(st.integers(1, 6))),
        sku=draw(st.sampled_from(["A", "B", "GIFT-50", "TIP", None])),
        title="Article",
        quantity=D(draw(st.integers(-5, 5))),
        unit_price=draw(money(currency)),
        discount=draw(money(currency)),
        net=draw(money(currency)),
        taxes=tuple(
            Tax(name=name, amount=draw(money(currency)))
            for name in draw(st.lists(st.sampled_from(["State", "City"]), max_size=2))
        ),
        gross=draw(money(currency)),
        is_voided=draw(st.booleans()),
    )


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Draw an order or ticket of any kind, currency, tender and arithmetic."""
    currency = draw(st.sampled_from(["USD", "JPY", "KWD", "CHF"]))
    sold = draw(st.lists(lines(currency), max_size=4))
    paid = draw(st.lists(st.tuples(st.sampled_from(KINDS), money(currency)), max_size=3))
    return Order(
        order_id=str(draw(st.integers(1, 4))),
        number="1",
        kind=draw(st.sampled_from(["web", "marketplace", "pos", "phone"])),
        currency=currency,
        tax_inclusive=draw(st.booleans()),
        placed_at=AT + timedelta(minutes=draw(st.integers(0, 9))),
        lines=tuple(sold),
        shipping=draw(money(currency)),
        shipping_taxes=tuple(
            Tax(name="State", amount=draw(money(currency))) for _ in range(draw(st.integers(0, 1)))
        ),
        fees=draw(money(currency)),
        rounding=draw(money(currency)),
        total=draw(money(currency)),
        tenders=tuple(Tender(kind=kind, name=kind, amount=amount) for kind, amount in paid),
    )


@st.composite
def refunds(draw: st.DrawFn) -> Refund:
    """Draw a refund of any arithmetic."""
    paid = draw(st.lists(st.tuples(st.sampled_from(KINDS), money()), max_size=3))
    return Refund(
        refund_id="1",
        order_id="1",
        currency="USD",
        happened_at=AT,
        lines=tuple(draw(st.lists(lines(), max_size=3))),
        amount=draw(money()),
        tenders=tuple(Tender(kind=kind, name=kind, amount=amount) for kind, amount in paid),
    )


def event_id(number: int) -> UUID:
    """Give an id that sorts by number."""
    return UUID(int=number)
