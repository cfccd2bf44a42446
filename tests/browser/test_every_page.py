"""Every page, light and dark: no fault of accessibility, nothing cut off, within its budget."""

from __future__ import annotations

from typing import Any

import pytest

from tests.architecture.sources import ROOT
from tests.browser.conftest import Desk, Window

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (320, 390, 1440)
MOST_BYTES, MOST_REQUESTS = 150_000, 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_has_a_fault_of_accessibility(desk: Desk, scheme: str) -> None:
    rules = AXE.read_text("utf-8")
    faults: dict[str, list[str]] = {}

    async with desk.window(color_scheme=scheme) as window:
        for name, path in desk.pages_of(desk.shops[0]).items():
            await window.open(path)
            await window.page.evaluate(rules)
            found = await window.page.evaluate("axe.run()")
            faults[name] = [_told(each) for each in found["violations"]]
    async with desk.window("", color_scheme=scheme) as window:
        for name, path in (await desk.doors()).items():
            await window.open(path)
            await window.page.evaluate(rules)
            found = await window.page.evaluate("axe.run()")
            faults[name] = [_told(each) for each in found["violations"]]

    assert {name: each for name, each in faults.items() if each} == {}


@pytest.mark.parametrize("width", WIDTHS)
async def test_no_page_is_wider_than_the_window(desk: Desk, width: int) -> None:
    wide = {}

    async with desk.window(viewport={"width": width, "height": 800}) as window:
        for name, path in desk.pages_of(desk.shops[0]).items():
            await window.open(path)
            over = await window.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if over > 0:
                wide[name] = over

    assert wide == {}


async def test_no_page_complains_and_each_stays_within_its_budget(desk: Desk) -> None:
    over: dict[str, tuple[int, int]] = {}
    complaints: dict[str, list[str]] = {}

    async with desk.window() as window:
        for name, path in desk.pages_of(desk.shops[0]).items():
            window.seen.complaints.clear()
            sizes = await _first_view(window, path)
            if sum(sizes) > MOST_BYTES or len(sizes) > MOST_REQUESTS:
                over[name] = (sum(sizes), len(sizes))
            if name != "missing" and window.seen.complaints:
                complaints[name] = list(window.seen.complaints)

    assert over == {}
    assert complaints == {}


async def _first_view(window: Window, path: str) -> list[int]:
    """Open a page with an empty cache; gives the bytes of each answer as they came over the wire."""
    session = await window.context.new_cdp_session(window.page)
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda each: sizes.append(int(each["encodedDataLength"])))
    await session.send("Network.enable")
    await session.send("Network.clearBrowserCache")
    await window.page.goto(window.portal.url + path, wait_until="networkidle")
    await session.detach()
    return sizes


def _told(violation: dict[str, Any]) -> str:
    nodes = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
    return f"{violation['id']} ({len(violation['nodes'])}): {nodes}"
