"""The pages as they are written: tokens only, no script or style inside, no name but the brand's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from infra.database.pool import Database
from portal.door.guard import POLICY
from portal.page.verdict import verdict_of_shop
from tests.architecture.sources import ROOT
from tests.isolation.world import Shop, open_shops
from tests.portal.served import Portal, serve_portal, words_of
from tests.stage import SECRET

TEMPLATES = sorted(
    path.relative_to(ROOT)
    for folder in ("templates", "screens")
    for path in (ROOT / "portal" / folder).rglob("*.html")
)
FORBIDDEN = {
    "a colour": re.compile(r"#[0-9a-fA-F]{3,8}\b(?![^<]*</a>)|\b(?:rgba?|hsla?|oklch|oklab)\("),
    "a named colour": re.compile(
        r"\b(?:text|bg|border|fill|stroke)-(?:red|green|blue|yellow|gray|slate|zinc|white|black)\b"
    ),
    "a style": re.compile(r"\sstyle=|<style"),
    "a script": re.compile(r"<script(?! defer src=)|\son\w+="),
    "an escape from escaping": re.compile(r"\|\s*safe(?!\s+if)|autoescape|Markup"),
    "an address elsewhere": re.compile(r"https?://(?!www\.w3\.org)"),
    "a class put together": re.compile(r"(?:bg|text|border)-\{\{"),
}
VENDORS = ("tillwire", "zebra", "celigo", "mulesoft")


@pytest.mark.parametrize("template", TEMPLATES, ids=str)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_contains(template: Path, what: str) -> None:
    text = (ROOT / template).read_text("utf-8")

    assert [found.group() for found in FORBIDDEN[what].finditer(text)] == []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(database: Database) -> AsyncIterator[tuple[Portal, tuple[Shop, ...]]]:
    async with open_shops(database) as (stage, shops), serve_portal(stage) as portal:
        yield portal, shops


async def test_every_answer_carries_the_policy_and_nothing_of_ours(
    scene: tuple[Portal, tuple[Shop, ...]],
) -> None:
    portal, shops = scene
    browser = await portal.person("operator")
    own = f"/r/{shops[0].tenant_id}"

    for path in ("/now", f"{own}/today", f"{own}/exceptions.csv", "/sign-in", "/nowhere", own):
        answer = await browser.client.get(portal.url + path)
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        said = f"{answer.headers} {answer.text}".lower()
        assert [name for name in VENDORS if name in said] == []


async def test_counts_of_a_page_agree_with_each_other(
    scene: tuple[Portal, tuple[Shop, ...]],
) -> None:
    portal, shops = scene
    browser = await portal.person("operator")

    wall, today = await browser.get("/now"), await browser.get(f"/r/{shops[0].tenant_id}/today")

    by_shop = [
        await portal.stage.rows(each.retailer, "select 1 from incident where state <> 'resolved'")
        for each in shops
    ]
    incidents, everywhere = by_shop[0], sum(len(each) for each in by_shop)
    assert words_of(wall).count("See why") == 4
    assert "4 of 4 retailers need attention" in words_of(wall)
    assert f"{everywhere} incidents open, nobody is on any of them yet" in words_of(wall)
    assert today.text.count("<article") == len(incidents)
    assert verdict_of_shop([None] * len(incidents), 1) in words_of(today)  # type: ignore[list-item]


async def test_a_search_tells_the_life_of_one_order(
    scene: tuple[Portal, tuple[Shop, ...]],
) -> None:
    portal, shops = scene
    browser = await portal.person("partner_support", partner_id=shops[0].partner_id)

    here = await browser.get(f"/r/{shops[0].tenant_id}/find?q=o-2")
    everywhere = await browser.get("/find?q=o-2")

    assert "It has arrived everywhere it goes." in words_of(here)
    assert "known at 2 of 2 retailers" in words_of(everywhere)


async def test_the_export_is_what_the_list_shows(scene: tuple[Portal, tuple[Shop, ...]]) -> None:
    portal, shops = scene
    browser = await portal.person("retailer_staff", tenant_id=shops[0].tenant_id)
    own = f"/r/{shops[0].tenant_id}/exceptions"

    some = (await browser.get(f"{own}.csv?state=any")).text.splitlines()
    none = (await browser.get(f"{own}.csv?state=any&text=zzz")).text.splitlines()

    assert len(some) == 3
    assert some[0].startswith("id,label,code,words,amount,currency,state")
    assert len(none) == 1


async def test_many_are_released_after_a_preview(scene: tuple[Portal, tuple[Shop, ...]]) -> None:
    portal, shops = scene
    shop = shops[1]
    browser = await portal.person("retailer_admin", tenant_id=shop.tenant_id)
    await browser.get(f"/r/{shop.tenant_id}/exceptions")
    form = {"act": "release", "all": "1"}

    preview = await browser.post(f"/r/{shop.tenant_id}/exceptions/bulk?state=open", form)
    rows = await portal.stage.rows(shop.retailer, "select 1 from hold where state = 'open'")
    done = await browser.post(
        f"/r/{shop.tenant_id}/exceptions/bulk?state=open", {**form, "sure": "1"}
    )

    assert "1 record would be released" in words_of(preview)
    assert len(rows) == 1
    assert "1+record+released" in done.headers["location"]
    assert len(portal.rings) >= 1


async def test_giving_up_needs_a_reason(scene: tuple[Portal, tuple[Shop, ...]]) -> None:
    portal, shops = scene
    shop = shops[0]
    browser = await portal.person("retailer_admin", tenant_id=shop.tenant_id)
    await browser.get(f"/r/{shop.tenant_id}/exceptions")
    form = {"act": "discard", "ids": shop.ids["exception"], "sure": "1"}

    answer = await browser.post(f"/r/{shop.tenant_id}/exceptions/bulk", form)

    assert answer.status_code == 422
    assert "Say why they are given up." in words_of(answer)
    rows = await portal.stage.rows(shop.retailer, "select 1 from hold where state = 'open'")
    assert len(rows) == 1


async def test_the_owner_of_a_system_gives_a_new_credential_by_a_page(
    scene: tuple[Portal, tuple[Shop, ...]],
) -> None:
    portal, shops = scene
    shop = shops[0]
    browser = await portal.person("partner_admin", partner_id=shop.partner_id)
    at = f"/r/{shop.tenant_id}/connections/{shop.ids['target connection']}"
    await browser.get(at)
    made = await browser.post(f"{at}/link")
    (path,) = set(re.findall(r"/reconnect/[A-Za-z0-9_-]+", made.text))
    owner = portal.stranger()

    asked = await owner.get(path)
    empty = await owner.post(path)
    given = await owner.post(
        path, {"credential.signing_secret": "whsec_" + "bmV3IHNlY3JldCBvZiB0aGUgb3duZXI="}
    )
    again = await owner.get(path)

    assert "Reconnect HTTP for North" in words_of(asked)
    assert SECRET not in asked.text
    assert (empty.status_code, given.status_code, again.status_code) == (422, 200, 404)
    assert "The credential is stored." in words_of(given)
