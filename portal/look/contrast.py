"""Make a brand's colour readable: keep hue and chroma, move only its lightness (OKLCH).

Contrast is that of WCAG 2.2; 4.6 leaves room for rounding above the 4.5 that text needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from coloraide import Color

NEEDED = 4.6
# The darkest of the light surfaces and the lightest of the dark ones: on all others it is more.
LIGHT_SURFACE, DARK_SURFACE = "#f1f3f5", "#23262c"
_STEP = 0.005
BLACK, WHITE = "#000000", "#ffffff"


@dataclass(frozen=True, slots=True)
class Readable:
    """A colour as `#rrggbb` that stands out from its surface, and what is written on it."""

    colour: str
    on: str
    ratio: float


@lru_cache(256)
def readable(brand: str, surface: str) -> Readable:
    """Move a colour (`#rrggbb`) away from its surface until text in it can be read."""
    step = -_STEP if Color(surface).luminance() > 0.5 else _STEP  # noqa: PLR2004 - half of white
    moved = Color(brand).convert("oklch")
    while (ratio := _ratio(moved, surface)) < NEEDED and 0 < moved["lightness"] + step < 1:
        moved["lightness"] += step
    colour = _hex(moved)
    on = max((WHITE, BLACK), key=lambda each: Color(colour).contrast(each, method="wcag21"))
    return Readable(colour, on, round(ratio, 2))


def _ratio(colour: Color, surface: str) -> float:
    return float(Color(_hex(colour)).contrast(surface, method="wcag21"))


def _hex(colour: Color) -> str:
    return colour.convert("srgb").fit(method="oklch-chroma").to_string(hex=True)
