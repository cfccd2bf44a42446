"""A brand is typed data, and its colour can always be read."""

from __future__ import annotations

import pytest
from coloraide import Color

from portal.look.brand import PLATFORM_NAME, STYLESHEET, brand_of, stylesheet_of
from portal.look.contrast import DARK_SURFACE, LIGHT_SURFACE, readable

AWKWARD = (
    *("#ffd400", "#39ff14", "#38bdf8", "#0b1f3a", "#ff7a00", "#ffffff", "#000000", "#ff0000"),
    *("#800000", "#f5f5dc", "#7f7f7f", "#00ffff"),
)


@pytest.mark.parametrize("surface", [LIGHT_SURFACE, DARK_SURFACE])
@pytest.mark.parametrize("colour", AWKWARD)
def test_text_in_and_on_any_brand_colour_can_be_read(colour: str, surface: str) -> None:
    made = readable(colour, surface)

    assert Color(made.colour).contrast(surface, method="wcag21") >= 4.5
    assert Color(made.on).contrast(made.colour, method="wcag21") >= 4.5


@pytest.mark.parametrize("colour", ["#006a6e", "#ff7a00"])
def test_the_hue_of_a_brand_is_kept(colour: str) -> None:
    for surface in (LIGHT_SURFACE, DARK_SURFACE):
        moved = Color(readable(colour, surface).colour).convert("oklch")["hue"]
        # What no screen can show is brought into its range, which turns the hue a little.
        assert abs(moved - Color(colour).convert("oklch")["hue"]) < 8


def test_a_retailer_overrides_its_partner_and_both_the_platform() -> None:
    partner, retailer = {"hue": "200", "mark": "anchor"}, {"mark": "leaf"}

    brand = brand_of("Harborline", partner, retailer)

    assert (brand.name, brand.hue, brand.mark) == ("Harborline", 200, "leaf")
    assert brand_of("").name == PLATFORM_NAME


@pytest.mark.parametrize(
    "value",
    ["red", "#fff", "#00000g", "url(x)", "</style>", "#12345678", "expression(1)", None, 7],
)
def test_what_is_no_colour_is_passed_over(value: object) -> None:
    assert brand_of("A", {"colour": value}).colour == brand_of("A").colour


@pytest.mark.parametrize("value", ["360", "-1", "1e2", "a", "²", None])
def test_what_is_no_hue_is_passed_over(value: object) -> None:
    assert brand_of("A", {"hue": value}).hue == brand_of("A").hue


def test_the_name_of_a_stylesheet_says_all_that_it_holds() -> None:
    brand = brand_of("A", {"hue": "12", "colour": "#ABCDEF"})

    told = STYLESHEET.fullmatch(brand.stylesheet)

    assert told is not None
    assert (told[1], told[2]) == ("12", "abcdef")
    assert "--h:12;" in stylesheet_of(12, "#abcdef")
