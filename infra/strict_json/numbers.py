"""Numbers as they are written: exact, within bounded digits and powers of ten."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from infra.strict_json.fault import DEFAULT, JsonLimits, StrictJsonError

_WRITTEN = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_NOT_FINITE = re.compile(r"[+-]?(?:s?nan[0-9]*|inf(?:inity)?)", re.IGNORECASE)
# Digits grouped by anything but one single dot: 1,10 / 1.234,56 / 1'000 / 1 000 / 1.234.567.
_GROUPED = re.compile(r"[+-]?[0-9]{1,64}(?:[.,'\u2019 \u00a0\u202f_][0-9]{1,64}){1,32}")

# Longer exponents are refused before int(): no arithmetic on what a stranger wrote.
_MAX_EXPONENT_CHARS = 7
# A binary double ends at 1.8e308; beyond it common parsers say "infinite".
_DOUBLE_MAX_EXPONENT = 308
# A token this short cannot break the digit limit of any sensible configuration.
_SHORT_TOKEN_CHARS = 18


def check_decimal_text(
    text: str, limits: JsonLimits = DEFAULT, pointer: str | None = None
) -> Decimal:
    """Read a number that came as text, exactly; raises StrictJsonError (`number.*`).

    Only `-`, ASCII digits, one dot and an exponent are understood; separators are never guessed.
    """
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise StrictJsonError(_what_it_is_instead(text), pointer)
    code = _number_fault(written, limits, is_text=True)
    if code is not None:
        raise StrictJsonError(code, pointer)
    return Decimal(text)


def integer_reader(limits: JsonLimits) -> Callable[[str], int]:
    """Build the reader for JSON integers; anything too long is refused before it is converted."""
    max_chars = limits.max_digits

    def read_integer(token: str) -> int:
        if len(token) > max_chars and len(token.lstrip("-")) > max_chars:
            raise StrictJsonError("number.too_long")
        return int(token)

    return read_integer


def fraction_reader(limits: JsonLimits) -> Callable[[str], Decimal]:
    """Build the reader for JSON numbers with a fraction or an exponent: always exact decimals."""
    short_chars = min(_SHORT_TOKEN_CHARS, limits.max_digits)

    def read_fraction(token: str) -> Decimal:
        if len(token) > short_chars or "e" in token or "E" in token:
            code = token_fault(token, limits)
            if code is not None:
                raise StrictJsonError(code)
        return Decimal(token)

    return read_fraction


def token_fault(token: str, limits: JsonLimits) -> str | None:
    """Say which rule a JSON number token breaks, None when it breaks none."""
    written = _WRITTEN.fullmatch(token)
    return None if written is None else _number_fault(written, limits, is_text=False)


def _number_fault(written: re.Match[str], limits: JsonLimits, *, is_text: bool) -> str | None:
    whole, fraction, exponent = written.group(1), written.group(2) or "", written.group(3)
    if len(whole) + len(fraction) > limits.max_digits:
        return "number.too_long"
    if exponent is None:
        return None
    adjusted = _adjusted_exponent(whole, fraction, exponent)
    if adjusted is not None and abs(adjusted) <= limits.max_exponent:
        return None
    is_infinite = adjusted is None or abs(adjusted) > _DOUBLE_MAX_EXPONENT
    return "number.out_of_range" if is_infinite and not is_text else "number.exponent"


def _adjusted_exponent(whole: str, fraction: str, exponent: str) -> int | None:
    """Give the power of ten of the first significant digit; None when absurdly long."""
    if len(exponent) > _MAX_EXPONENT_CHARS:
        return None
    digits = (whole + fraction).lstrip("0")
    return int(exponent) + len(digits) - len(fraction) - 1 if digits else int(exponent)


def _what_it_is_instead(text: str) -> str:
    if _NOT_FINITE.fullmatch(text):
        return "number.not_finite"
    return "number.locale" if _GROUPED.fullmatch(text) else "number.invalid"
