"""Units of articles: cases into pieces, grams into kilograms, exactly or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from connectors.canonical.quantity import DoesNotDivide, Quantity, converted
from infra.database.unit import Session
from infra.errors import Unprocessable
from tenants.audit import record

# The book keeps 12 digits before the point.
QUANTITY_MAX = Decimal(10) ** 12

_OF = """
select sku, uom, base_uom, numerator, denominator from unit_conversion
where tenant_id = $1 and sku = any ($2) order by sku, uom
"""
_SET = """
insert into unit_conversion (tenant_id, sku, uom, base_uom, numerator, denominator)
values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id, sku, uom) do update set numerator = excluded.numerator,
    denominator = excluded.denominator
"""
_BASE = "select base_uom from unit_conversion where tenant_id = $1 and sku = $2 limit 1"


@dataclass(frozen=True, slots=True)
class Units:
    """The unit in which an article is kept, and how much of it others are."""

    base: str
    conversions: dict[str, Fraction] = field(default_factory=dict)


class UnitUnknown(ValueError):
    """Nobody said how much of the article one such unit is, or it is no exact quantity."""

    def __init__(self, words: str, *, code: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


def in_base_unit(sku: str, quantity: Decimal, uom: str, units: Units | None) -> Decimal:
    """Give an exact quantity in the article's base unit; raises UnitUnknown.

    An article without conversions is kept in the unit in which it is told.
    """
    known = units or Units(uom)
    try:
        value = converted(Quantity(quantity, uom), known.base, known.base, known.conversions).value
    except KeyError:
        raise UnitUnknown(
            f"{sku} is kept in {known.base}, and nobody said how much one {uom} is. Add the"
            " conversion, then release this.",
            code="stock.unit_unknown",
        ) from None
    except DoesNotDivide:
        raise UnitUnknown(
            f"{quantity} {uom} of {sku} is no exact quantity of {known.base}. Correct the quantity"
            " or the conversion, then release this.",
            code="stock.unit_inexact",
        ) from None
    if abs(value) >= QUANTITY_MAX:
        words = f"{quantity} {uom} of {sku} is more than any shop has. Correct the quantity."
        raise UnitUnknown(words, code="stock.unit_inexact")
    return value


async def units_of(session: Session, tenant_id: UUID, skus: Sequence[str]) -> Mapping[str, Units]:
    """Read the conversions of articles; those without any are left out."""
    found: dict[str, Units] = {}
    for row in await session.fetch(_OF, tenant_id, skus):
        units = found.setdefault(row["sku"], Units(row["base_uom"]))
        units.conversions[row["uom"]] = Fraction(row["numerator"], row["denominator"])
    return found


async def set_conversion(
    session: Session, tenant_id: UUID, sku: str, uom: str, base_uom: str, factor: Fraction
) -> None:
    """Say how many base units one unit of an article is; what was told before stays as it is."""
    base = await session.fetch_value(_BASE, tenant_id, sku)
    if uom == base_uom or (base is not None and base != base_uom):
        words = (
            f"{sku} is kept in {base or base_uom}. Give the conversion of another unit into that."
        )
        raise Unprocessable(words, code="stock.base_unit")
    await session.execute(_SET, tenant_id, sku, uom, base_uom, factor.numerator, factor.denominator)
    detail = {"unit": uom, "base": base_uom, "factor": str(factor)}
    await record(session, "stock.set_conversion", f"article:{sku}", detail)
