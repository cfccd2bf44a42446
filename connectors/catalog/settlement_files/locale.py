"""How a marketplace writes numbers and dates: by its name, never guessed from what is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from connectors.sdk.message import HoldRecord, JsonObject

_POINT = re.compile(r"-?\d+(?:\.\d+)?")
_COMMA = re.compile(r"-?\d+(?:,\d+)?")
# A year first cannot be misread; otherwise the marketplace's own order counts.
_YEAR_FIRST = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_YEAR_LAST = re.compile(r"(\d\d)[./-](\d\d)[./-](\d{4})")
_TIME = re.compile(r"[T ](\d\d):(\d\d):(\d\d) ?(?:UTC|Z|\+00:00)")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Locale:
    """How numbers and dates are written; `has_comma` is about decimals."""

    has_comma: bool
    has_month_first: bool = False

    def number(self, text: str) -> Decimal:
        """Read a plain number; raises ValueError for any other way of writing one."""
        shape = _COMMA if self.has_comma else _POINT
        if shape.fullmatch(text) is None:
            raise ValueError(text)
        return Decimal(text.replace(",", "."))

    def moment(self, text: str) -> datetime:
        """Read a day, with a time in UTC or without one (then 0:00); raises ValueError."""
        year, month, day, rest = self._day(text)
        if not rest:
            return datetime(year, month, day, tzinfo=UTC)
        found = _TIME.fullmatch(rest)
        if found is None:
            raise ValueError(text)
        hour, minute, second = map(int, found.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)

    def _day(self, text: str) -> tuple[int, int, int, str]:
        if found := _YEAR_FIRST.match(text):
            year, month, day = map(int, found.groups())
        elif found := _YEAR_LAST.match(text):
            first, second, year = map(int, found.groups())
            month, day = (first, second) if self.has_month_first else (second, first)
        else:
            raise ValueError(text)
        return year, month, day, text[found.end() :]


_WITH_POINTS = "ca co.uk com.mx com.au co.jp ae sa sg in ie"
_WITH_COMMAS = "de fr it es nl se pl com.be com.tr com.br"
_COMMAS = Locale(has_comma=True)
_POINTS = Locale(has_comma=False)
# Source: the number formats of the marketplaces' countries (Unicode CLDR 45); reports of Amazon use the
# local format of the marketplace, developer documentation of settlement reports, read 2026-08-20.
_BY_DOMAIN: dict[str, Locale] = {
    "com": Locale(has_comma=False, has_month_first=True),
    **dict.fromkeys(_WITH_POINTS.split(), _POINTS),
    **dict.fromkeys(_WITH_COMMAS.split(), _COMMAS),
}
LOCALES: dict[str, Locale] = {f"amazon.{domain}": way for domain, way in _BY_DOMAIN.items()}


def locale_of(settings: JsonObject) -> Locale:
    """Give the marketplace's way of writing; raises HoldRecord when the connection names none."""
    name = str(settings.get("marketplace") or "").lower()
    found = LOCALES.get(name)
    if found is None:
        raise HoldRecord(
            "settlement.marketplace",
            "/settings/marketplace",
            "The connection does not say which marketplace its settlements are from, so 95,00 could be"
            f" 95 or 9500. Set its marketplace to one of: {', '.join(sorted(LOCALES))}.",
        )
    return found


def read_with(read: Callable[[str], _T], text: str, line: int, column: str) -> _T:
    """Read one field; raises HoldRecord naming the line and the column where it does not fit."""
    try:
        return read(text)
    except ValueError:
        raise HoldRecord(
            "settlement.number_format",
            f"/line/{line}/{column}",
            f'Line {line}, column {column}: "{text[:40]}" is not written as this marketplace writes'
            " numbers and dates. Check the marketplace of the connection; nothing of the settlement"
            " was booked.",
        ) from None
