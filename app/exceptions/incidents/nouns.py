"""Counts, money and moments as people say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.canonical.event import (
    ORDER_CANCELLED,
    ORDER_CHANGED,
    ORDER_FULFILLED,
    ORDER_PLACED,
    ORDER_REFUNDED,
    STOCK_POSITION,
    TILL_SALE,
)

# What a record is about. An order that was placed and changed since is one order.
FAMILIES: dict[str, str] = {
    ORDER_PLACED: "order",
    ORDER_CHANGED: "order",
    ORDER_CANCELLED: "order",
    ORDER_REFUNDED: "refund",
    ORDER_FULFILLED: "shipment",
    TILL_SALE: "sale",
    STOCK_POSITION: "stock change",
}
_OTHER = "record"
# Parts of a pointer that are no name to anybody: the envelope around a record, a position.
_NO_NAME = frozenset({"", "*", "data", "body"})


def things(families: Mapping[str, int], records: int) -> str:
    """Say how many of what: "8,112 orders", or "12 records" when they are of several kinds."""
    if len(families) == 1:
        ((family, objects),) = families.items()
        return counted(objects, family or _OTHER)
    return counted(records, _OTHER)


def counted(count: int, noun: str) -> str:
    """Say a count with its noun: "1 order", "8,112 orders"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def money(amounts: Mapping[str, Decimal]) -> str:
    """Say money by currency, the largest first: "1,480.00 USD and 20.00 EUR"; empty for none."""
    known = sorted(amounts.items(), key=lambda each: (-each[1], each[0]))
    return listed([f"{amount:,.{decimals(amount)}f} {currency}" for currency, amount in known])


def decimals(amount: Decimal) -> int:
    """Say how many decimals an amount is written with: two, or more when they are not zero."""
    exponent = amount.normalize().as_tuple().exponent
    return max(2, -exponent) if isinstance(exponent, int) else 2


def plain(amount: Decimal) -> str:
    """Write an exact amount as text, without an exponent: "1480.00"."""
    return f"{amount:.{decimals(amount)}f}"


def listed(parts: Sequence[str]) -> str:
    """Join as people do: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def moment(at: datetime, timezone: str) -> str:
    """Say a moment in the retailer's time: "20 Nov, 02:10"."""
    try:
        local = at.astimezone(ZoneInfo(timezone))
    except (ZoneInfoNotFoundError, ValueError):
        local = at
    return f"{local.day} {local:%b, %H:%M}"


def field(pointer: str) -> str:
    """Say a field without its path's signs: `/lines/*/tax` is "tax of lines"."""
    names = [part for part in pointer.split("/") if part not in _NO_NAME]
    return " of ".join(name.replace("_", " ") for name in reversed(names))
