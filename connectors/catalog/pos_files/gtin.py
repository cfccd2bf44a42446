"""GTINs in till records: which item codes are article numbers that the whole world shares."""

from __future__ import annotations

GTIN_DIGITS = 14
_SHORTEST_DIGITS = 8


def gtin_14(code: str) -> str | None:
    """Give a code as GTIN-14, or None when it is a PLU, store-internal or fails its check digit.

    Source: GS1 General Specifications: modulo 10 check digit, weights 3 and 1 from the right;
    prefixes 02, 04 and 20 to 29 (GTIN-13) are for restricted circulation within a store.
    """
    if not (code.isascii() and code.isdigit() and len(code) <= GTIN_DIGITS):
        return None
    digits = code.zfill(GTIN_DIGITS)
    if len(digits.lstrip("0")) < _SHORTEST_DIGITS:
        return None
    prefix = digits[1:3]
    if digits[0] == "0" and (prefix in {"02", "04"} or prefix[0] == "2"):
        return None
    weighted = sum(int(d) * (3 if at % 2 == 0 else 1) for at, d in enumerate(digits[:-1]))
    return digits if (10 - weighted % 10) % 10 == int(digits[-1]) else None
