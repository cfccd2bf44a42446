"""A real browser before the real portal; skipped where no Chromium is installed."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Page, async_playwright

from app.connections.reconnect import make_reconnect_link
from infra.database.pool import Database
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from portal.parts import read_assets
from tenants.people import Place, ensure_person
from tenants.sign_in.links import make_link
from tests.isolation.world import Shop, open_shops
from tests.portal.served import Portal, serve_portal

FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium on PATH: make setup-browser installs it")
    if not read_assets():
        pytest.skip("the portal's assets are not built: make setup builds them")
    return found


# Without slots: the browser's library keeps its own marks on whoever listens.
@dataclass
class Seen:
    """What a page said that it must not: dialogs, complaints of the console, faults of scripts."""

    dialogs: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("dialog", self._dialog)
        page.on("console", self._console)
        page.on("pageerror", lambda fault: self.complaints.append(str(fault)))

    async def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        await dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@dataclass(slots=True)
class Window:
    """A browser's window in which somebody is signed in."""

    portal: Portal
    context: BrowserContext
    page: Page
    seen: Seen

    async def open(self, path: str) -> None:
        await self.page.goto(self.portal.url + path, wait_until="load")


@dataclass(slots=True)
class Desk:
    """The portal with its shops, and a way to open windows."""

    portal: Portal
    shops: tuple[Shop, ...]
    executable: str
    _states: dict[str, object] = field(default_factory=dict)

    def pages_of(self, shop: Shop) -> dict[str, str]:
        """Name every page of one shop, and those over all, by what they are."""
        own = f"/r/{shop.tenant_id}"
        return {
            "now": "/now",
            "causes": "/incidents",
            "retailers": "/retailers",
            "retailers-none": "/retailers?name=zzz",
            "account": "/account",
            "find-everywhere": "/find?q=o-1",
            "today": f"{own}/today",
            "incidents": f"{own}/incidents",
            "incident": f"{own}/incidents/{shop.ids['incident']}",
            "exceptions": f"{own}/exceptions",
            "exceptions-beside": f"{own}/exceptions?open={shop.ids['exception']}",
            "exceptions-none": f"{own}/exceptions?text=zzz",
            "exception": f"{own}/exceptions/{shop.ids['exception']}?content=1",
            "decided": f"{own}/exceptions/{shop.ids['decided exception']}",
            "find": f"{own}/find?q=o-1",
            "find-none": f"{own}/find?q=zzz",
            "replays": f"{own}/replays",
            "replay-new": f"{own}/replays/new?incident={shop.ids['incident']}",
            "replay": f"{own}/replays/{shop.ids['replay']}",
            "connections": f"{own}/connections",
            "connection": f"{own}/connections/{shop.ids['target connection']}",
            "missing": f"{own}/incidents/1",
        }

    async def doors(self) -> dict[str, str]:
        """Name the pages before the door, each with a link of its own."""
        stage, shop = self.portal.stage, self.shops[0]
        async with begin(OperatorScope("test"), stage.database) as session:
            person = await ensure_person(session, "invited@shop.example", "Ivy Doe")
            invitation = await make_link(session, person.id, "invitation", timedelta(hours=1))
            sign_in = await make_link(session, person.id, "sign_in", timedelta(hours=1))
        async with begin(shop.retailer.scope, stage.database) as session:
            target = shop.retailer.connections["target"]
            reconnect = await make_reconnect_link(session, target)
        return {
            "sign-in": "/sign-in",
            "enter": sign_in.path,
            "invitation": invitation.path,
            "reconnect": reconnect.path,
        }

    @asynccontextmanager
    async def window(
        self, role: str = "operator", place: Place | None = None, **options: object
    ) -> AsyncIterator[Window]:
        """Open a window; `options` are those of a browser's context."""
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=self.executable, args=FLAGS)
            key = f"{role} {place}"
            if role and key not in self._states:
                self._states[key] = await self._entered(browser, role, place or Place())
            context = await browser.new_context(
                **{"storage_state": self._states.get(key), **options}  # type: ignore[arg-type]
            )
            seen = Seen()
            page = await context.new_page()
            seen.watch(page)
            yield Window(self.portal, context, page, seen)
            await browser.close()

    async def _entered(self, browser: object, role: str, place: Place) -> object:
        context = await browser.new_context()  # type: ignore[attr-defined]
        page = await context.new_page()
        await page.goto(self.portal.url + await self.portal.link_for(role, place))
        await page.get_by_role("button", name="Enter").click()
        await page.wait_for_load_state()
        state = await context.storage_state()
        await context.close()
        return state


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(database: Database, chromium: str) -> AsyncIterator[Desk]:
    async with open_shops(database) as (stage, shops), serve_portal(stage) as portal:
        yield Desk(portal, shops, chromium)
