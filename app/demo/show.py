"""Shows the picture of the demo until told to stop: as a live screen, or as a line now and then."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from app.demo.screen import AWAY, Surroundings, line, picture
from app.demo.standing import Standing
from infra import clock
from infra.errors import PlatformError

EVERY_S = 1.0
PLAIN_EVERY_S = 5.0
# Reading the books may take a twentieth of one core, however long they have become.
READING_SHARE = 0.05
COLUMNS, LINES = 100, 30
# A picture must not fetch anything when it is looked at; any fixed-width font will do.
WITHOUT_FONTS = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the picture comes from: the book, and what is known of the processes."""

    standing: Callable[[], Awaitable[Standing]]
    around: Callable[[Standing], Surroundings]


async def show(console: Console, source: Source, export: Path | None) -> None:
    """Show until cancelled; then the last picture is written to `export`, if it is named."""
    last: Standing | None = None
    try:
        if console.is_terminal:
            # The other screen of the terminal: no flicker, and what was printed before is kept.
            with Live(console=console, screen=True, auto_refresh=False) as live:
                async for last in _standings(source, EVERY_S):
                    live.update(_drawn(source, last), refresh=True)
        else:
            async for last in _standings(source, PLAIN_EVERY_S):
                words = line(last, source.around(last)) if last else AWAY
                console.print(words, soft_wrap=True, highlight=False)
    finally:
        if export is not None and last is not None:
            _export(picture(last, source.around(last)), export)


async def _standings(source: Source, every_s: float) -> AsyncIterator[Standing | None]:
    while True:
        started_s = clock.monotonic_s()
        try:
            yield await source.standing()
        except PlatformError:
            yield None
        took_s = clock.monotonic_s() - started_s
        await asyncio.sleep(max(every_s, took_s / READING_SHARE))


def _drawn(source: Source, standing: Standing | None) -> RenderableType:
    return Text(AWAY, "yellow") if standing is None else picture(standing, source.around(standing))


def _export(drawn: RenderableType, path: Path) -> None:
    console = Console(
        record=True, width=COLUMNS, height=LINES, file=StringIO(), force_terminal=True
    )
    console.print(drawn)
    path.parent.mkdir(parents=True, exist_ok=True)
    svg = console.export_svg(title="tillwire up", code_format=WITHOUT_FONTS)
    path.write_text(svg, encoding="utf-8")
