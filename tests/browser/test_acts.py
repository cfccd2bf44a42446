"""What people do: with the keyboard, without script, while the page is live; and hostile texts."""

from __future__ import annotations

import pytest

from infra.database.scope import OperatorScope
from infra.database.unit import begin
from infra.ids import Id
from tenants.people import Place
from tests.browser.conftest import Desk
from tests.isolation.world import Shop
from tests.portal.served import Portal

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

# Each would run, or break out of its place, where a text were not escaped.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "'-alert(3)-'",
    "javascript:alert(4)",
    "</title><svg onload=alert(5)>",
    "{{7*7}}{% include '/etc/passwd' %}",
    "</textarea><iframe srcdoc='<script>alert(6)</script>'>",
)
_TEXTS = (
    "update hold set label = $2, words = $2, owner = $2, object_id = $2 where tenant_id = $1",
    "update incident set title = $2, words = $2, owner = $2, shops = array[$2] where tenant_id = $1",
    "update connection set title = $2 where tenant_id = $1",
    "update flow set name = left($2, 60) || id::text where tenant_id = $1",
    "update replay set title = $2, reason = $2, words = $2 where tenant_id = $1",
)


async def test_an_incident_is_taken_and_remarked_on_without_script(desk: Desk) -> None:
    shop = desk.shops[0]
    async with desk.window(java_script_enabled=False) as window:
        await window.open(f"/r/{shop.tenant_id}/incidents/{shop.ids['incident']}")
        await window.page.get_by_role("button", name="Take it").click()
        await window.page.get_by_label("Remark").fill("The supplier knows.")
        await window.page.get_by_role("button", name="Add the remark").click()

        text = await window.page.inner_text("main")

    assert "The supplier knows." in text
    assert "is on it." in text


async def test_the_keyboard_finds_chooses_and_opens(desk: Desk) -> None:
    shop = desk.shops[0]
    async with desk.window() as window:
        await window.open(f"/r/{shop.tenant_id}/exceptions")
        await window.page.keyboard.press("j")
        await window.page.keyboard.press("x")
        chosen = await window.page.locator("input[name=ids]:checked").count()
        told = await window.page.inner_text("[data-picked]")
        await window.page.keyboard.press("Enter")
        await window.page.wait_for_url("**/exceptions?*open=*")
        await window.page.keyboard.press("/")
        await window.page.keyboard.type("o-1")
        await window.page.keyboard.press("Enter")
        await window.page.wait_for_url("**/find?q=o-1")

        heading = await window.page.inner_text("h1")

    assert (chosen, told) == (1, "1")
    assert heading == "o-1"


async def test_a_live_page_changes_without_losing_the_focus(desk: Desk) -> None:
    shop = desk.shops[1]
    incident = shop.ids["incident"]
    async with desk.window() as window:
        await window.open("/now")
        link = window.page.locator(f'a[data-row-link][href="/r/{shop.tenant_id}/today"]')
        await link.focus()
        await _write(desk.portal, shop, "update incident set owner = 'Zoe Field' where id = $2")

        await window.page.get_by_text("Zoe Field").wait_for(timeout=30_000)
        focused = await window.page.evaluate("document.activeElement.getAttribute('href')")

    assert incident
    assert focused == f"/r/{shop.tenant_id}/today"
    assert window.seen.complaints == []


async def test_a_record_is_corrected_after_a_look_at_what_changes(desk: Desk) -> None:
    shop = desk.shops[2]
    place = Place(tenant_id=shop.tenant_id)
    async with desk.window("retailer_admin", place) as window:
        await window.open(f"/r/{shop.tenant_id}/exceptions/{shop.ids['exception']}?content=1")
        content = await window.page.input_value("#f-content")
        await window.page.fill("#f-content", content.replace("Order o-1", "Order o-1 again"))
        await window.page.get_by_label("Why it is corrected").fill("A better name.")
        await window.page.get_by_role("button", name="Preview the correction").click()
        heading = await window.page.inner_text("h1")
        await (
            window.page.get_by_role("button", name="Back")
            .or_(window.page.get_by_role("link", name="Back"))
            .click()
        )

        still_open = await window.page.inner_text("main")

    assert heading.endswith("would change")
    assert "Release as it is" in still_open


async def test_hostile_texts_are_shown_as_texts(desk: Desk) -> None:
    shop = desk.shops[3]
    shown = 0
    async with desk.window() as window:
        for text in HOSTILE:
            await _poison(desk.portal, shop, text)
            for name, path in desk.pages_of(shop).items():
                await window.open(path)
                shown += text in await window.page.inner_text("body") if name == "incident" else 0
            await window.page.goto(f"{desk.portal.url}/r/{shop.tenant_id}/find")
            await window.page.get_by_label("Number, SKU, receipt or id").fill(text)
            await window.page.get_by_role("button", name="Find").click()
            await window.page.wait_for_load_state()

    assert shown == len(HOSTILE)
    assert window.seen.dialogs == []
    assert [each for each in window.seen.complaints if "404" not in each] == []


async def _poison(portal: Portal, shop: Shop, text: str) -> None:
    async with begin(shop.retailer.scope, portal.stage.database) as session:
        for statement in _TEXTS:
            await session.execute(statement, shop.tenant_id, text)
    async with begin(OperatorScope("test"), portal.stage.database) as session:
        await session.execute("update tenant set name = $2 where id = $1", shop.tenant_id, text)


async def _write(portal: Portal, shop: Shop, statement: str) -> None:
    async with begin(shop.retailer.scope, portal.stage.database) as session:
        await session.execute(
            statement.replace("where id", "where tenant_id = $1 and id"),
            shop.tenant_id,
            Id(shop.ids["incident"]),
        )
