"""No person opens another retailer's page: every page x every role of 2 partners and 4 retailers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
import pytest_asyncio

from infra.database.pool import Database
from infra.ids import Id, new_id
from portal.app import ROUTES
from tenants.roles import LEVELS, Level, Role, allows
from tests.isolation.pages import OPEN_PAGES, OWN, PAGES, WIDE, Page, PageRow
from tests.isolation.world import Shop, open_shops
from tests.portal.served import Browser, Portal, serve_portal, words_of

MISSING_IDS = (str(new_id()), "1", "null")
NOTHING_HERE = "There is nothing here, or you may not see it."


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in, with one role, and the shops this role reaches."""

    role: Role
    browser: Browser
    reaches: frozenset[Id]


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything the matrix is played on."""

    portal: Portal
    shops: tuple[Shop, ...]
    people: tuple[Person, ...]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(database: Database) -> AsyncIterator[Scene]:
    async with open_shops(database) as (stage, shops), serve_portal(stage) as portal:
        yield Scene(portal, shops, tuple(await _people(portal, shops)))


def test_every_page_has_a_row() -> None:
    routes = {
        (method, route.path)  # type: ignore[attr-defined]
        for route in _routes()
        for method in route.methods  # type: ignore[attr-defined]
    }

    assert routes == {*PAGES, *WIDE, *OWN, *OPEN_PAGES}


@pytest.mark.parametrize("page", [*PAGES, *WIDE, *OWN], ids=" ".join)
async def test_who_is_not_signed_in_is_sent_to_the_door(scene: Scene, page: Page) -> None:
    path = _path(page, PAGES.get(page, PageRow(())), scene.shops[0], scene.shops[0])

    answer = await _ask(scene.portal.stranger(), page, path, {})

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
async def test_a_page_opens_to_the_permitted_for_their_own_and_to_nobody_else(
    scene: Scene, page: Page
) -> None:
    row = PAGES[page]
    for person in scene.people:
        may = all(allows(person.role, permission) for permission in row.needs)
        for shop in scene.shops:
            own = shop.tenant_id in person.reaches
            answer = await _ask(person.browser, page, _path(page, row, shop, shop), row.form)
            expected = 404 if not own else row.to_owner if may else 403
            assert answer.status_code == expected, (person.role, own, words_of(answer)[:300])
            if not own:
                assert NOTHING_HERE in words_of(answer)


@pytest.mark.parametrize("page", [page for page in PAGES if PAGES[page].about], ids=" ".join)
async def test_anothers_object_is_missing_under_ones_own_retailer(scene: Scene, page: Page) -> None:
    row = PAGES[page]
    one, other = scene.shops[0], scene.shops[-1]
    admin = next(p for p in scene.people if p.role is Role.RETAILER_ADMIN)

    for path in (
        _path(page, row, one, other),
        *(_path(page, row, one, one, missing) for missing in MISSING_IDS),
    ):
        answer = await _ask(admin.browser, page, path, row.form)
        form_is_read_first = page[1].endswith("/pause") or row.about == "incident in the query"
        assert answer.status_code in ((404, 422) if form_is_read_first else (404,)), path


@pytest.mark.parametrize("page", WIDE, ids=" ".join)
async def test_pages_over_all_retailers_show_nobody_elses(scene: Scene, page: Page) -> None:
    for person in scene.people:
        answer = await _ask(person.browser, page, page[1], {})
        is_wide = Level.RETAILER not in LEVELS[person.role] or len(person.reaches) > 1
        if not is_wide or not allows(person.role, "exceptions.read"):
            assert answer.status_code == 403
            continue
        assert answer.status_code == 200
        shown = set(re.findall(r"/r/([0-9a-f-]{36})", answer.text))
        assert shown <= {str(each) for each in person.reaches}


async def test_contents_are_withheld_from_all_without_the_permission(scene: Scene) -> None:
    for person in scene.people:
        if not allows(person.role, "exceptions.read"):
            continue
        for shop in scene.shops:
            if shop.tenant_id in person.reaches:
                path = f"/r/{shop.tenant_id}/exceptions/{shop.ids['exception']}?content=1"
                answer = await person.browser.get(path)
                shows = "<textarea" in answer.text and "o-1" in answer.text
                may_edit = allows(person.role, "exceptions.decide")
                assert ('name="content"' in answer.text and shows) is (
                    allows(person.role, "payloads.read") and may_edit
                )


async def test_a_bulk_of_anothers_records_does_nothing(scene: Scene) -> None:
    one, other = scene.shops[0], scene.shops[-1]
    admin = next(p for p in scene.people if p.role is Role.RETAILER_ADMIN)
    form = {"act": "release", "ids": other.ids["exception"], "sure": "1"}

    answer = await admin.browser.post(f"/r/{one.tenant_id}/exceptions/bulk", form)

    assert "0+records+released" in answer.headers["location"]
    rows = await scene.portal.stage.rows(
        other.retailer, "select state from hold where id = $1", Id(other.ids["exception"])
    )
    assert [row["state"] for row in rows] == ["open"]


def _routes() -> list[object]:
    return [route for routes in ROUTES for route in routes.routes]


def _path(page: Page, row: PageRow, shop: Shop, owner: Shop, missing: str = "") -> str:
    told = missing or owner.ids.get(row.about, "")
    path = page[1].replace("{tenant_id}", str(shop.tenant_id))
    path = re.sub(r"\{\w+\}", told or str(new_id()), path)
    if row.about == "incident in the query":
        path += f"?incident={missing or owner.ids['incident']}"
    return path + row.query


async def _ask(browser: Browser, page: Page, path: str, form: dict[str, str]) -> httpx2.Response:
    if page[0] == "POST":
        return await browser.post(path, form)
    return await browser.client.get(browser.url + path)


async def _people(portal: Portal, shops: tuple[Shop, ...]) -> list[Person]:
    made = []
    everyone = frozenset(shop.tenant_id for shop in shops)
    for role in Role:
        if Level.PLATFORM in LEVELS[role]:
            made.append(Person(role, await portal.person(role), everyone))
        if Level.PARTNER in LEVELS[role]:
            for partner_id in sorted({shop.partner_id for shop in shops}):
                reaches = frozenset(s.tenant_id for s in shops if s.partner_id == partner_id)
                browser = await portal.person(role, partner_id=partner_id)
                made.append(Person(role, browser, reaches))
        if Level.RETAILER in LEVELS[role]:
            for shop in shops:
                browser = await portal.person(role, tenant_id=shop.tenant_id)
                made.append(Person(role, browser, frozenset({shop.tenant_id})))
    return made
