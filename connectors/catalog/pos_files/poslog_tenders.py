"""How a ticket was paid: tenders, change and cash back, signed as the money moved."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from lxml import etree

from connectors.canonical.order import Tender, TenderKind
from connectors.catalog.pos_files.amounts import amount
from connectors.catalog.pos_files.mapping import TENDER_KINDS
from connectors.catalog.pos_files.poslog_goods import is_flagged_void, line_items
from connectors.catalog.pos_files.poslog_parse import attribute, child, text_at


def tenders_of(retail: etree._Element, currency: str) -> tuple[Tender, ...]:
    """Read the tenders in the order of the ticket; they add up to what the customer paid.

    A card payment with cash back is the whole amount on the card and the cash given as `change`.
    """
    found = [
        (tender, is_flagged_void(item))
        for item, at in line_items(retail)
        if (paid := child(item, "Tender")) is not None
        for tender in _read(paid, currency, f"{at}/Tender")
    ]
    reversed_amounts = {-tender.amount for tender, _ in found}
    return tuple(
        tender
        for tender, is_void in found
        # Struck out where it stands (ARTS): only a void that reverses another tender counts.
        if not (is_void and tender.amount > 0 and tender.amount not in reversed_amounts)
    )


def _read(paid: etree._Element, currency: str, at: str) -> Iterator[Tender]:
    type_ = attribute(paid, "TenderType")
    value = amount(text_at(paid, "Amount"), currency, f"{at}/Amount")
    if attribute(paid, "TypeCode") == "Refund":
        value = -abs(value)
    name = attribute(paid, "TenderDescription") or type_ or "unnamed"
    given_text = text_at(paid, "TenderChange", "Amount")
    given = amount(given_text or "0", currency, f"{at}/TenderChange/Amount")
    is_change_only = bool(given_text) and abs(given) == abs(value)
    kind: TenderKind = "change" if is_change_only else TENDER_KINDS.get(type_, "other")
    yield Tender(
        kind=kind,
        name=name,
        amount=-abs(value) if is_change_only else value,
        reference=text_at(paid, "Authorization", "ReferenceNumber") or None,
    )
    if given and not is_change_only:
        yield Tender(kind="change", name=name, amount=-abs(given))


def paid_in(tenders: tuple[Tender, ...]) -> Decimal:
    """Add up what the customer paid, change taken off."""
    return sum((tender.amount for tender in tenders), Decimal(0))
