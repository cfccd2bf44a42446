"""Photograph the portal at the worst moment of the bad Monday: `make screenshots`."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from app.demo.monday.world import Weekend
from infra.numbers import keep_numbers_exact
from tests.browser.conftest import FLAGS
from tests.browser.morning import Morning, held_morning

WEEKEND = Weekend(orders=420, shipments=180, spoiled=64, calm=40)
_SETTLED_MS = 300


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: who looks at which page, in which window."""

    name: str
    who: str
    path: str
    width: int = 1440
    height: int = 900
    scheme: str = "light"


async def shoot(place: Path, folder: Path) -> None:
    """Play the weekend, hold it in `place`, and write the pictures; then end everything."""
    executable = shutil.which("chromium")
    if executable is None:
        raise SystemExit("There is no chromium on PATH: make setup-browser installs it.")
    async with held_morning(place, WEEKEND) as morning, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        await _all(browser, morning, folder)
        await browser.close()


async def _all(browser: Browser, morning: Morning, folder: Path) -> None:
    states = {who: await _enter(browser, morning, who) for who in morning.links}
    page = await (await browser.new_context(storage_state=states["operator"])).new_page()  # type: ignore[arg-type]
    for shot in await _shots(page, morning):
        context = await browser.new_context(
            storage_state=states[shot.who],  # type: ignore[arg-type]
            viewport={"width": shot.width, "height": shot.height},
            color_scheme=shot.scheme,  # type: ignore[arg-type]
        )
        window = await context.new_page()
        await window.goto(morning.url + shot.path, wait_until="networkidle")
        await window.wait_for_timeout(_SETTLED_MS)
        await window.screenshot(path=folder / f"portal-{shot.name}.png")
        await context.close()


async def _shots(page: Page, morning: Morning) -> list[Shot]:
    maple = f"/r/{morning.maple}"
    await page.goto(f"{morning.url}/incidents")
    held = await _first(page, r'href="(/r/[0-9a-f-]{36}/incidents/[0-9a-f-]{36})"', "sku of lines")
    books = held.split("/incidents/")[0]
    await page.goto(f"{morning.url}{books}/exceptions")
    record = await _first(page, r'name="ids" value="([0-9a-f-]{36})"')
    return [
        Shot("now", "operator", "/now", height=820),
        Shot("incident", "operator", held),
        Shot("decide", "operator", f"{books}/exceptions?open={record}"),
        Shot("today-dark", "retailer", f"{maple}/today", scheme="dark"),
        Shot("phone", "retailer", f"{maple}/today", width=390, height=844),
    ]


async def _first(page: Page, pattern: str, near: str = "") -> str:
    """Find an address on a page, the one whose line also says `near`."""
    text = await page.content()
    for line in text.splitlines():
        if near in line and (found := re.search(pattern, line)):
            return found[1]
    raise LookupError(f"{pattern} {near}")


async def _enter(browser: Browser, morning: Morning, who: str) -> object:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(morning.url + morning.links[who])
    await page.get_by_role("button", name="Enter").click()
    await page.wait_for_load_state()
    state = await context.storage_state()
    await context.close()
    return state


if __name__ == "__main__":
    keep_numbers_exact()
    pictures = Path(sys.argv[1])
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        # The servers run as another user, who must be able to walk in.
        Path(made).chmod(0o755)
        asyncio.run(shoot(Path(made) / "monday", pictures))
