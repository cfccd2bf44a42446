"""Find payment card numbers in what arrives: by their check digit and by what their field is called.

Order ids, barcodes and tracking numbers are as long, and one of ten passes the check digit. So a
number counts only in a field named for cards, or for a number that stands beside a card brand.
Rows of text without names (till logs) are not searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.luhn import passes_luhn

# All digits become zeros: what is as long as a card number is then found as a plain text.
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_SHAPES = (b"0" * 13, b"0000 0000", b"0000-0000")
_NUMBER = re.compile(rb"0000(?:[ -]?0){9,15}")
# First digits of card networks; a moment in milliseconds begins with 1.
_FIRST_DIGITS = frozenset(b"23456")
_GOES_ON = frozenset(b"0123456789.")

_BEFORE_BYTES = 160
_AROUND_BYTES = 240
# The name right before a value: a JSON key, an XML element or attribute, a form field.
_NAME = re.compile(
    rb"""(?: "([\w.:-]{1,64})"\s*:\s*"? | <([\w.:-]{1,64})(?:\s[^<>]{0,64})?>\s* |"""
    rb""" ([\w.:-]{1,64})\s*=\s*["']? )\Z""",
    re.VERBOSE,
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_CARD_WORDS = frozenset(
    {
        *("card", "cardno", "cardnum", "cardnumber", "cc", "ccnum", "ccnumber", "creditcard"),
        *("creditcardnumber", "debitcard", "pan", "primaryaccountnumber"),
    }
)
_NUMBER_WORDS = frozenset({"account", "acct", "no", "num", "number"})
_OTHER_CARDS = frozenset({"fingerprint", "gift", "giftcard", "loyalty", "token"})
_BESIDE = re.compile(
    rb"\b(?:visa|master ?card|amex|american express|discover|diners|jcb|maestro|union ?pay)\b"
    rb"|\"(?:credit_?|debit_?)?card\"\s*:\s*\{",
    re.IGNORECASE,
)


def card_number_field(body: bytes) -> str | None:
    """Give the name of the first field that holds a card number; None when there is none."""
    alike = body.translate(_DIGITS_ALIKE)
    for shape in _SHAPES:
        if shape in alike:
            return next(_fields(body, alike), None)
    return None


def _fields(body: bytes, alike: bytes) -> Iterator[str]:
    for found in _NUMBER.finditer(alike):
        start, end = found.span()
        if not _is_card_number(body, start, end):
            continue
        named = _NAME.search(body, max(0, start - _BEFORE_BYTES), start)
        if named is None:
            continue
        name = (named[1] or named[2] or named[3]).decode("ascii", "replace")
        if _is_for_cards(name, body[max(0, start - _AROUND_BYTES) : end + _AROUND_BYTES]):
            yield name


def _is_card_number(body: bytes, start: int, end: int) -> bool:
    is_part_of_more = body[max(0, start - 1)] in _GOES_ON and start > 0
    if is_part_of_more or body[start] not in _FIRST_DIGITS or body[end : end + 1].isdigit():
        return False
    return passes_luhn(body[start:end].translate(None, b" -"))


def _is_for_cards(name: str, around: bytes) -> bool:
    in_order = [word.lower() for word in _WORD.findall(name)]
    words = {*in_order, "".join(in_order[-3:])}
    if words & _OTHER_CARDS:
        return False
    if words & _CARD_WORDS:
        return True
    return bool(words & _NUMBER_WORDS) and _BESIDE.search(around) is not None
