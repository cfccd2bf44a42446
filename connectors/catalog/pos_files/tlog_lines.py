"""Lines of a T-log ticket: rows as goods and money, and what is no article."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from connectors.canonical.money import quantized
from connectors.canonical.order import Line
from connectors.catalog.pos_files.amounts import quantity, unit_price
from connectors.catalog.pos_files.gtin import gtin_14
from connectors.catalog.pos_files.mapping import NON_STOCK_CODES, NON_STOCK_PREFIXES
from connectors.catalog.pos_files.times import local_time
from connectors.catalog.pos_files.tlog_layout import Layout
from connectors.catalog.pos_files.tlog_rows import Row
from connectors.sdk.message import HoldRecord


def line_of(fields: Sequence[str], at: int, layout: Layout, currency: str) -> Line:
    """Read one row (`at`, from 0) as a line; raises HoldRecord naming the column.

    The file has no line amounts and no taxes: net is quantity times price, rounded half up to the
    currency's minor unit, which is the amount that the till can have charged.
    """
    count = quantity(layout.text(fields, "quantity"), pointer(at, "quantity", layout))
    price = unit_price(layout.text(fields, "unit_price"), pointer(at, "unit_price", layout))
    net = quantized(count * price, currency)
    code, title = layout.text(fields, "code"), layout.text(fields, "title")
    is_article = not is_non_stock(code)
    return Line(
        line_id=str(at + 1),
        sku=code if is_article and code else None,
        gtin=gtin_14(code) if is_article else None,
        title=title if is_article else f"{code} {title}".strip(),
        quantity=count,
        unit_price=price,
        net=net,
        gross=net,
    )


def is_non_stock(code: str) -> bool:
    """Say whether a code is postage, a fee, a manual amount or the like instead of an article."""
    return code in NON_STOCK_CODES or code.startswith(NON_STOCK_PREFIXES)


def pointer(at: int, role: str, layout: Layout) -> str:
    """Point at one field of a ticket: row (from 0) and column name."""
    return f"/rows/{at}/{layout.column(role)}"


def ticket_key(number: str, found: Sequence[Row], layout: Layout) -> str:
    """Give the natural key of a ticket: its number and its local day, as the file says them."""
    day = next((day for row in found if (day := _day(row, layout))), "?")
    return f"{number.replace('/', '%2F') or '?'}/{day}"


def told_total(found: Sequence[Row], layout: Layout, currency: str) -> Decimal:
    """Add up the readable rows of a ticket that is held anyway."""
    total = Decimal(0)
    for at, row in enumerate(found):
        try:
            total += line_of(row.fields, at, layout, currency).net if row.fields else 0
        except HoldRecord:
            continue
    return total


def _day(row: Row, layout: Layout) -> str:
    if not row.fields:
        return ""
    try:
        return (
            local_time(layout.text(row.fields, "time"), layout.time_format, "").date().isoformat()
        )
    except HoldRecord:
        return ""
