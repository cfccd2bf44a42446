"""Products: what a catalogue may hold, and which of its numbers other companies are told."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical.money import allocate
from connectors.canonical.product import (
    Component,
    Conversion,
    Option,
    Product,
    TradeNumber,
    Variant,
)
from connectors.canonical.product_checks import (
    DEEPEST,
    assembly_breaches,
    product_breaches,
    shared_numbers,
)
from connectors.canonical.quantity import Quantity, whole_units

D = Decimal
GOOD, WRONG, OURS = "6291041500213", "6291041500214", "2001234012751"


def variant(sku: str = "A", **fields: Any) -> Variant:
    return Variant(sku=sku, **fields)


def product(*variants: Variant) -> Product:
    return Product(product_id="p", title="Shirt", variants=variants)


def part(sku: str, share: str = "100", quantity: str = "1") -> Component:
    return Component(sku=sku, quantity=D(quantity), revenue_share=D(share))


def broken(*variants: Variant) -> list[tuple[str, str]]:
    return [(breach.rule, breach.pointer) for breach in product_breaches(product(*variants))]


BAD: dict[str, tuple[tuple[Variant, ...], list[tuple[str, str]]]] = {
    "nothing to sell": ((), [("P-1", "/variants")]),
    "no SKU": ((variant(""),), [("P-2", "/variants/0/sku")]),
    "one SKU twice": (
        (variant("A", options=(Option(name="Size", value="M"),)), variant("A")),
        [("P-2", "/variants/0/sku"), ("P-2", "/variants/1/sku")],
    ),
    "the same options": (
        (
            variant("A", options=(Option(name="Size", value="M"), Option(name="Fit", value="1"))),
            variant("B", options=(Option(name="Fit", value="1"), Option(name="Size", value="M"))),
        ),
        [("P-3", "/variants/1/options")],
    ),
    "a wrong check digit": (
        (variant(gtins=(TradeNumber(written=WRONG),)),),
        [("P-4", "/variants/0/gtins/0/written")],
    ),
    "no trade item number": (
        (variant(gtins=(TradeNumber(written="12"),)),),
        [("P-4", "/variants/0/gtins/0/written")],
    ),
    "shares that do not make a whole": (
        (variant(kind="bundle", components=(part("B", "50"), part("C", "49.99"))),),
        [("P-6", "/variants/0/components")],
    ),
    "a bundle of nothing": ((variant(kind="kit"),), [("P-7", "/variants/0/components")]),
    "a part of itself": (
        (variant(kind="kit", components=(part("A"),)),),
        [("P-7", "/variants/0/components/0")],
    ),
    "none of a part": (
        (variant(kind="kit", components=(part("B", quantity="0"),)),),
        [("P-7", "/variants/0/components/0")],
    ),
    "a case of nothing": (
        (variant(conversions=(Conversion(uom="CS", numerator=0),)),),
        [("P-9", "/variants/0/conversions/0")],
    ),
    "sold in a unit that leads nowhere": (
        (variant(uom_sell="CS"),),
        [("P-9", "/variants/0/uom_sell")],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_every_rule_of_a_product_names_its_place(case: str) -> None:
    variants, wanted = BAD[case]

    assert broken(*variants) == wanted


def test_a_product_as_it_should_be_breaks_nothing() -> None:
    case = Conversion(uom="CS", numerator=12)
    sold = variant("0007", gtins=(TradeNumber(written=GOOD),), conversions=(case,), uom_sell="CS")

    assert broken(sold, variant("7", options=(Option(name="Size", value="M"),))) == []
    assert sold.in_base_units() == {"CS": Fraction(12)}
    assert whole_units(Quantity(D(23)), "CS", "EA", sold.in_base_units()) == 1


def test_a_number_that_a_spreadsheet_made_is_kept_back_with_the_way_out() -> None:
    """E-D22. The digits are lost: the file must be exported again."""
    (breach,) = product_breaches(product(variant(gtins=(TradeNumber(written="4.00638E+12"),))))

    assert (breach.rule, breach.severity) == ("P-5", "error")
    assert "Export the file again with this column as text." in breach.words


def test_a_number_on_two_skus_is_told_and_the_first_keeps_it() -> None:
    """E-D20. No channel is told of the newer SKU under it; both are sold by SKU."""
    first = variant("OLD", gtins=(TradeNumber(written=GOOD),))
    second = variant("NEW", gtins=(TradeNumber(written="0" + GOOD),))
    case = variant("CASE", gtins=(TradeNumber(written=GOOD, level="case"),))

    (shared,) = shared_numbers([first, second, case])

    assert (shared.gtin, shared.level) == ("06291041500213", "each")
    assert (shared.kept_by, shared.others) == ("OLD", ("NEW",))


@pytest.mark.parametrize("written", [OURS, WRONG])
def test_numbers_that_identify_nothing_outside_the_shop_are_shared_freely(written: str) -> None:
    both = [variant(sku, gtins=(TradeNumber(written=written),)) for sku in ("A", "B")]

    assert shared_numbers(both) == []


def test_a_circle_of_bundles_is_found_and_all_that_leads_into_it() -> None:
    assembly = {"A": (part("B"),), "B": (part("C"),), "C": (part("B"),), "D": (part("E"),)}

    found = assembly_breaches(assembly)

    assert [(breach.rule, breach.pointer) for breach in found] == [
        ("P-8", "/A"),
        ("P-8", "/B"),
        ("P-8", "/C"),
    ]


@given(st.integers(1, 2000))
def test_bundles_of_bundles_are_understood_three_deep(depth: int) -> None:
    assembly = {f"{level}": (part(f"{level + 1}"),) for level in range(depth)}

    found = assembly_breaches(assembly)

    assert [breach.rule for breach in found] == ["P-10"] * max(0, depth - DEEPEST)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_what_points_only_onwards_is_never_a_circle(pairs: list[tuple[int, int]]) -> None:
    assembly: dict[str, tuple[Component, ...]] = {}
    for one, other in pairs:
        if one < other:
            assembly[str(one)] = (*assembly.get(str(one), ()), part(str(other)))

    assert not [breach for breach in assembly_breaches(assembly) if breach.rule == "P-8"]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_shares_that_are_allocated_always_make_a_whole(weights: list[int]) -> None:
    shares = allocate(D(100), [D(weight) for weight in weights], "USD")
    parts = tuple(part(f"part {place}", str(share)) for place, share in enumerate(shares))

    assert broken(variant(kind="bundle", components=parts)) == []
