"""A brand: the few values that make the portal a partner's own, inherited over three levels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.look.contrast import DARK_SURFACE, LIGHT_SURFACE, readable

# What the portal is called where no partner is known, as on the sign-in page of a shared host.
PLATFORM_NAME = "Retail operations"
MARKS = ("mountain", "flower", "anchor", "leaf", "compass", "bolt", "diamond", "sun")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_HUE_MOST = 360
_TONES = {"colour": "#2f5d8a", "hue": "235", "mark": "compass"}

STYLESHEET = re.compile(r"h([0-9]{1,3})-([0-9a-f]{6})")


@dataclass(frozen=True, slots=True)
class Brand:
    """Name, mark (one of `MARKS`), hue of the greys (0 to 359) and colour (`#rrggbb`)."""

    name: str
    mark: str
    hue: int
    colour: str

    @property
    def stylesheet(self) -> str:
        """Name the stylesheet that these values make; the same values, the same name."""
        return f"h{self.hue}-{self.colour[1:].lower()}"


def brand_of(name: str, *levels: Mapping[str, Any]) -> Brand:
    """Put a brand together: each later level (partner, retailer) overrides the one before.

    What is not one of the allowed values is passed over: a brand is typed data, never style.
    """
    found = dict(_TONES)
    for level in levels:
        found.update({key: str(level[key]) for key in _TONES if _is_usable(key, level.get(key))})
    return Brand(name or PLATFORM_NAME, found["mark"], int(found["hue"]), found["colour"])


def stylesheet_of(hue: int, colour: str) -> str:
    """Write the tokens of a brand as CSS, readable on light and on dark surfaces."""
    light, dark = readable(colour, LIGHT_SURFACE), readable(colour, DARK_SURFACE)
    return (
        f":root{{--h:{hue % _HUE_MOST};--brand-light:{light.colour};--brand-light-on:{light.on};"
        f"--brand-dark:{dark.colour};--brand-dark-on:{dark.on}}}"
    )


def _is_usable(key: str, value: object) -> bool:
    text = str(value)
    if value is None:
        return False
    if key == "mark":
        return text in MARKS
    if key == "hue":
        return text.isascii() and text.isdigit() and int(text) < _HUE_MOST
    return _COLOUR.fullmatch(text) is not None
