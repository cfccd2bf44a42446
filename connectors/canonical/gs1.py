"""GS1 keys: GTIN, GLN and SSCC with their check digit; how a till, a file or a label wrote them.

Source: GS1 General Specifications, section 7.9 (check digit) and 3.3 (GTIN in 14 digits, to the
right). Restricted circulation numbers (prefixes 02, 04, 20 to 29 of a GTIN-13, 2 and 4 of a GTIN-8
or -12) mean something inside one retailer only: section 1.4.5 and 2.1.11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GTIN_DIGITS = 14
GTIN_LENGTHS = frozenset({8, 12, 13, 14})
GLN_DIGITS = 13
SSCC_DIGITS = 18

# valid: may be published. invalid: the check digit is wrong; the product is kept, its key is not
# used. restricted: means something in one retailer only, and may hold a price or a weight.
GtinStatus = Literal["valid", "invalid", "restricted"]

_RESTRICTED_13 = frozenset({"02", "04", *(str(prefix) for prefix in range(20, 30))})


@dataclass(frozen=True, slots=True)
class Gtin:
    """A trade item number in 14 digits, as it was written, and whether it can be relied on."""

    value: str
    written: str
    status: GtinStatus

    @property
    def may_be_published(self) -> bool:
        """Say whether another company may be told this number."""
        return self.status == "valid"


def gtin(written: str) -> Gtin | None:
    """Read a GTIN of 8, 12, 13 or 14 digits; None when it is no such number at all.

    A number with a wrong check digit is read with status `invalid`: the product is real.
    """
    if len(written) not in GTIN_LENGTHS or not _is_number(written):
        return None
    value = written.zfill(GTIN_DIGITS)
    if not has_check_digit(written):
        return Gtin(value, written, "invalid")
    return Gtin(value, written, "restricted" if _is_restricted(written) else "valid")


def is_gln(written: str) -> bool:
    """Say whether this is a global location number with a right check digit."""
    return len(written) == GLN_DIGITS and _is_number(written) and has_check_digit(written)


def is_sscc(written: str) -> bool:
    """Say whether this is the number of a shipped unit with a right check digit."""
    return len(written) == SSCC_DIGITS and _is_number(written) and has_check_digit(written)


def check_digit(body: str) -> int:
    """Give the digit that follows `body` (digits only): modulo 10, weights 3 and 1 from the right."""
    weighted = sum(
        int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))
    )
    return -weighted % 10


def has_check_digit(written: str) -> bool:
    """Say whether a number (digits only, at least two) ends in its check digit."""
    return check_digit(written[:-1]) == int(written[-1])


def _is_restricted(written: str) -> bool:
    digits = written.lstrip("0") if len(written) == GTIN_DIGITS else written
    match len(written):
        case 8:
            return written[0] in "02"
        case 12:
            return written[0] in "24"
        case 13:
            return written[:2] in _RESTRICTED_13
    return len(digits) == GLN_DIGITS and digits[:2] in _RESTRICTED_13


def _is_number(written: str) -> bool:
    return written.isascii() and written.isdecimal()
