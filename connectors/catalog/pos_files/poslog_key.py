"""The natural key of a till transaction, from its header or from what can still be read of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree

from connectors.canonical.money import Money
from connectors.catalog.pos_files.amounts import told_amount
from connectors.catalog.pos_files.poslog_parse import text_at
from connectors.sdk.message import HoldRecord

STORE, DAY, TILL, OPERATOR, SEQUENCE = (
    "RetailStoreID", "BusinessDayDate", "WorkstationID", "OperatorID", "SequenceNumber",
)  # fmt: skip
_UNREADABLE = "?"
_TOTAL = re.compile(rb"TransactionGrandAmount[\"']\s*>\s*(-?[0-9.]{1,20})\s*<")
_CURRENCY = re.compile(rb"CurrencyCode>\s*([A-Z]{3})\s*<")


def header_of(transaction: etree._Element) -> dict[str, str]:
    """Give the header fields of a parsed transaction; empty text where one is missing."""
    return {name: text_at(transaction, name) for name in (STORE, DAY, TILL, OPERATOR, SEQUENCE)}


def header_in(body: bytes) -> dict[str, str]:
    """Find the header fields in a transaction that does not parse; the first of each name."""
    found = {name: _first(name, body) for name in (STORE, DAY, TILL, OPERATOR, SEQUENCE)}
    return {name: text or _UNREADABLE for name, text in found.items()}


def natural_key(header: Mapping[str, str], *, with_operator: bool) -> str:
    """Join store, business day, workstation (and operator, where sequences restart) and sequence.

    Source: ARTS ODM 7.3: SequenceNumber restarts per business unit, day, workstation, operator.
    """
    names = (STORE, DAY, TILL, *((OPERATOR,) if with_operator else ()), SEQUENCE)
    return "/".join(header[name].replace("/", "%2F") for name in names)


def check_header(header: Mapping[str, str]) -> None:
    """Refuse a transaction that cannot be told from others."""
    missing = next((name for name in (STORE, DAY, TILL, SEQUENCE) if not header[name]), None)
    if missing is not None:
        raise HoldRecord(
            "ticket.key_missing",
            f"/Transaction/{missing}",
            f"This transaction has no {missing}. Store, business day, till and number tell one "
            "ticket from another. Add what is missing, then release it.",
        )


def total_in(body: bytes, default_currency: str) -> Money | None:
    """Find the total of a transaction that does not parse, if it can be told."""
    total, currency = _TOTAL.search(body), _CURRENCY.search(body)
    if total is None:
        return None
    told = currency[1].decode("ascii") if currency else default_currency
    return told_amount(total[1].decode("ascii"), told)


def _first(name: str, body: bytes) -> str:
    pattern = rb"<(?:[\w.-]+:)?" + name.encode() + rb"(?:\s[^<>]*)?>\s*([^<>]{1,64}?)\s*</"
    found = re.search(pattern, body)
    return found[1].decode("utf-8", "replace") if found else ""
