"""The check digit of payment cards."""

from __future__ import annotations

# Twice each digit, the digits of the result added up.
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")


def passes_luhn(digits: bytes) -> bool:
    """Check the last of these ASCII digits as card networks compute it (ISO/IEC 7812-1, annex B)."""
    total = sum(digits[-1::-2]) + sum(digits[-2::-2].translate(_DOUBLED))
    return (total - ord("0") * len(digits)) % 10 == 0
