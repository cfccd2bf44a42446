"""What must hold of a product, and of the catalogue as a whole, by name."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.checks import Found, Rule, broken_rules
from connectors.canonical.gs1 import gtin
from connectors.canonical.order_checks import Breach
from connectors.canonical.product import (
    MADE_OF_OTHERS,
    Assembly,
    PackagingLevel,
    Product,
    Variant,
)

SKU_MAX = 64
# A bundle of bundles of bundles; deeper ones are mistakes more often than offers.
DEEPEST = 3
WHOLE = Decimal(100)
# What a spreadsheet makes of a long number: digits are lost, and no rule brings them back. It always
# writes the sign and two digits of the exponent; `12E4` may well be an article.
SPREADSHEET_NUMBER = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{2,3}", re.ASCII)


def product_breaches(product: Product) -> list[Breach]:
    """Give every rule that this product breaks."""
    return broken_rules(product, RULES)


@dataclass(frozen=True, slots=True)
class SharedNumber:
    """One GTIN on several SKUs: the one that had it first keeps it, no channel is told of the others."""

    gtin: str
    level: PackagingLevel
    kept_by: str
    others: tuple[str, ...]


def shared_numbers(variants: Iterable[Variant]) -> list[SharedNumber]:
    """Find GTINs (by packaging level) on more than one SKU; takes variants oldest first.

    Numbers that mean something inside one shop only are left out: they identify nothing.
    """
    owners: defaultdict[tuple[str, PackagingLevel], list[str]] = defaultdict(list)
    for variant in variants:
        for number in variant.gtins:
            key = number.read()
            if key is not None and key.status == "valid":
                known = owners[(key.value, number.level)]
                if variant.sku not in known:
                    known.append(variant.sku)
    return [
        SharedNumber(value, level, skus[0], tuple(skus[1:]))
        for (value, level), skus in owners.items()
        if len(skus) > 1
    ]


def assembly_breaches(assembly: Assembly) -> list[Breach]:
    """Find bundles that contain themselves (P-8) or are deeper than three (P-10), over a catalogue."""
    depths = _depths(assembly)
    found = []
    for sku in assembly:
        if sku not in depths:
            words = f"{sku} is a part of itself, or made of something that is."
            found.append(Breach("P-8", "error", f"/{sku}", words))
        elif depths[sku] > DEEPEST:
            words = f"{sku} is {depths[sku]} bundles deep; at most {DEEPEST} are understood."
            found.append(Breach("P-10", "error", f"/{sku}", words))
    return found


def _depths(assembly: Assembly) -> dict[str, int]:
    """Count the levels below each SKU (0: no bundle); what leads into a circle is left out."""
    parts = {sku: {each.sku for each in components} for sku, components in assembly.items()}
    users: defaultdict[str, list[str]] = defaultdict(list)
    for sku, inside in parts.items():
        for each in inside:
            users[each].append(sku)
    depths = {sku: 0 for sku in {*parts, *users} if not parts.get(sku)}
    ready = list(depths)
    missing = {sku: len(inside) for sku, inside in parts.items()}
    while ready:
        done = ready.pop()
        for sku in users[done]:
            missing[sku] -= 1
            if not missing[sku]:
                depths[sku] = 1 + max(depths[each] for each in parts[sku])
                ready.append(sku)
    return depths


def _skus(product: Product) -> Found:
    counts = Counter(variant.sku for variant in product.variants)
    for place, variant in enumerate(product.variants):
        if not 1 <= len(variant.sku) <= SKU_MAX:
            yield f"/variants/{place}/sku", f"A SKU has 1 to {SKU_MAX} characters."
        elif counts[variant.sku] > 1:
            yield f"/variants/{place}/sku", f"{variant.sku} is there {counts[variant.sku]} times."


def _has_variants(product: Product) -> Found:
    if not product.variants:
        yield "/variants", f"{product.title} has nothing that could be sold."


def _options(product: Product) -> Found:
    seen: dict[frozenset[tuple[str, str]], str] = {}
    for place, variant in enumerate(product.variants):
        options = frozenset((each.name, each.value) for each in variant.options)
        first = seen.setdefault(options, variant.sku)
        if first != variant.sku:
            yield f"/variants/{place}/options", f"{variant.sku} has the same options as {first}."


def _trade_numbers(product: Product) -> Found:
    for pointer, written in _written(product):
        key = gtin(written)
        if key is None and not SPREADSHEET_NUMBER.fullmatch(written):
            yield pointer, f"{written} is no GTIN: it has 8, 12, 13 or 14 digits."
        elif key is not None and key.status == "invalid":
            yield pointer, f"{written} has a wrong check digit; no channel is told of it."


def _spreadsheet(product: Product) -> Found:
    for pointer, written in _written(product):
        if SPREADSHEET_NUMBER.fullmatch(written):
            words = (
                f"{written} is what a spreadsheet made of a number. Export the file again with this"
                " column as text."
            )
            yield pointer, words


def _written(product: Product) -> Iterable[tuple[str, str]]:
    return (
        (f"/variants/{place}/gtins/{number}/written", each.written)
        for place, variant in enumerate(product.variants)
        for number, each in enumerate(variant.gtins)
    )


def _shares(product: Product) -> Found:
    for place, variant in enumerate(product.variants):
        total = sum((each.revenue_share for each in variant.components), Decimal(0))
        if variant.components and total != WHOLE:
            words = f"The parts of {variant.sku} share {total} % of its revenue, not 100 %."
            yield f"/variants/{place}/components", words


def _components(product: Product) -> Found:
    for place, variant in enumerate(product.variants):
        if (variant.kind in MADE_OF_OTHERS) != bool(variant.components):
            words = f"{variant.sku} is {variant.kind} and has {len(variant.components)} parts."
            yield f"/variants/{place}/components", words
        for number, each in enumerate(variant.components):
            pointer = f"/variants/{place}/components/{number}"
            if each.quantity <= 0 or each.revenue_share < 0:
                yield pointer, f"Of {each.sku} there must be some, and no negative revenue."
            if each.sku == variant.sku:
                yield pointer, f"{variant.sku} is a part of itself."


def _conversions(product: Product) -> Found:
    for place, variant in enumerate(product.variants):
        units = Counter(each.uom for each in variant.conversions)
        for number, each in enumerate(variant.conversions):
            if each.numerator <= 0 or each.denominator <= 0 or units[each.uom] > 1:
                yield (
                    f"/variants/{place}/conversions/{number}",
                    f"{variant.sku}: {each.uom} needs one factor, above nothing.",
                )
        if variant.uom_sell != variant.uom_base and variant.uom_sell not in units:
            words = f"{variant.sku} is sold in {variant.uom_sell}, which leads to no base unit."
            yield f"/variants/{place}/uom_sell", words


RULES: tuple[Rule[Product], ...] = (
    Rule("P-1", "error", _has_variants),
    Rule("P-2", "error", _skus),
    Rule("P-3", "error", _options),
    # The product is real; only its number is not used.
    Rule("P-4", "warning", _trade_numbers),
    Rule("P-5", "error", _spreadsheet),
    Rule("P-6", "error", _shares),
    Rule("P-7", "error", _components),
    Rule("P-9", "error", _conversions),
)
