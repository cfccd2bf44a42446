"""The goods of a ticket as the till wrote them, and which of them were voided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from lxml import etree

from connectors.catalog.pos_files.amounts import amount, quantity, unit_price
from connectors.catalog.pos_files.mapping import GOODS, UNITS
from connectors.catalog.pos_files.poslog_parse import attribute, attributes, child, name_of, text_at

ITEMS = "/Transaction/RetailTransaction/LineItem"


@dataclass(frozen=True, slots=True)
class Goods:
    """One sale or return line; amounts in the ticket's currency, signed as money and goods moved.

    `extended` is what the till charged for the line before rewards and tax; `discount` is what it
    says it took off. `is_flagged` is the till's own void flag, `is_voided` our reading of it.
    """

    line_id: str
    operator_sequence: str
    code: str
    title: str
    quantity: Decimal
    uom: str
    regular_price: Decimal
    extended: Decimal
    discount: Decimal
    tax_ids: frozenset[str]
    is_flagged: bool
    is_voided: bool = False


def goods_of(retail: etree._Element, currency: str, weight_uom: str) -> tuple[Goods, ...]:
    """Read the goods of a retail transaction, in the order of the ticket, voids settled."""
    found = tuple(_read(item, at, currency, weight_uom) for item, at in line_items(retail))
    return _settle_voids([goods for goods in found if goods is not None])


def line_items(retail: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Give every line item with its XPath."""
    items = (inner for inner in retail if name_of(inner) == "LineItem")
    return ((item, f"{ITEMS}[{number}]") for number, item in enumerate(items, start=1))


def is_flagged_void(item: etree._Element) -> bool:
    """Say whether the till flagged this line item as voided."""
    return attribute(item, "VoidFlag").lower() in {"true", "1"}


def _read(item: etree._Element, at: str, currency: str, weight_uom: str) -> Goods | None:
    sold = next((inner for inner in item if name_of(inner) in GOODS), None)
    if sold is None:
        return None
    at = f"{at}/{name_of(sold)}"
    extended = amount(text_at(sold, "ExtendedAmount"), currency, f"{at}/ExtendedAmount")
    count = quantity(text_at(sold, "Quantity"), f"{at}/Quantity")
    if GOODS[name_of(sold)] < 0:
        extended = -abs(extended)
    # A bottle refund is written as quantity 1 and amount -2.00: goods move as their money says.
    moved = abs(count).copy_sign(extended) if extended else count
    return Goods(
        line_id=text_at(item, "SequenceNumber") or at.rpartition("[")[2].partition("]")[0],
        operator_sequence=text_at(sold, "OperatorSequence"),
        code=text_at(sold, "ItemID") or text_at(sold, "POSIdentity", "POSItemID"),
        title=text_at(sold, "Description"),
        quantity=moved,
        uom=_uom(item, sold, weight_uom),
        regular_price=_regular_price(sold, at),
        extended=extended,
        discount=_discount(sold, currency, at) * (-1 if moved < 0 else 1) + 0,
        tax_ids=_tax_ids(sold),
        is_flagged=is_flagged_void(item),
    )


def _uom(item: etree._Element, sold: etree._Element, weight_uom: str) -> str:
    told = child(sold, "Quantity")
    code = attribute(told, "UnitOfMeasureCode") if told is not None else ""
    if code:
        return UNITS.get(code.upper(), code)
    return weight_uom if attribute(item, "weightItem").lower() == "true" else "EA"


def _regular_price(sold: etree._Element, at: str) -> Decimal:
    for name in ("RegularSalesUnitPrice", "ActualSalesUnitPrice"):
        if text := text_at(sold, name):
            return unit_price(text, f"{at}/{name}")
    return Decimal(0)


def _discount(sold: etree._Element, currency: str, at: str) -> Decimal:
    text = text_at(sold, "ExtendedDiscountAmount") or "0"
    return abs(amount(text, currency, f"{at}/ExtendedDiscountAmount"))


def _tax_ids(sold: etree._Element) -> frozenset[str]:
    """Give the taxes a line is subject to: NCR flags them as `Tax1="true"` on its itemizers."""
    itemizers = child(sold, "Itemizers")
    flags = attributes(itemizers) if itemizers is not None else ()
    names = (name for name, value in flags if value == "true" and name.startswith("Tax"))
    return frozenset(name.removeprefix("Tax") for name in names)


def _settle_voids(found: list[Goods]) -> tuple[Goods, ...]:
    """Decide what a void flag means for each line, so that counting them or not is the same.

    NCR writes a void as a second line with the opposite amount: both lines are voided together.
    An opposite line that undoes only a part is an ordinary negative line. A flagged line that is
    the opposite of nothing was struck out where it stood (ARTS): it counts with nothing.
    """
    for at, line in enumerate(found):
        if not line.is_flagged:
            continue
        undone = _undone_by(found, at)
        if undone is not None:
            found[undone] = replace(found[undone], is_voided=True)
            found[at] = replace(line, is_voided=True)
        elif line.quantity > 0 and line.extended >= 0:
            none = Decimal(0)
            found[at] = replace(line, is_voided=True, quantity=none, extended=none, discount=none)
    return tuple(found)


def _undone_by(found: list[Goods], at: int) -> int | None:
    void = found[at]
    opposite = (void.code, -void.quantity, -void.extended)
    for earlier in range(at - 1, -1, -1):
        line = found[earlier]
        is_open = not line.is_voided and not line.is_flagged
        if is_open and (line.code, line.quantity, line.extended) == opposite:
            return earlier
    return None
