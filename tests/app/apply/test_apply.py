"""Configuration by file: made as written, twice without effect, refused with file and place."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from app.apply.apply import Applied, apply_file
from app.apply.hooks_file import write_hooks
from app.apply.plan import Change
from app.connections.directory import ConnectionBook, list_connections
from app.connections.hooks import find_hook
from app.flows.routes import RouteBook
from infra.database.pool import Database
from infra.database.scope import OperatorScope, TenantScope
from infra.database.unit import begin
from infra.errors import PlatformError
from infra.ids import Id, new_id
from tests.app.retailer import new_vault

TEXT = """
partners:
  - slug: PARTNER
    name: Harborline
    retailers:
      - slug: maple-main
        name: Maple & Main
        timezone: America/New_York
        connections:
          - name: shop
            connector: shopify
            settings: {base_url: "https://shop.example", shop_domain: maple.example}
            secrets: {access_token: {env: SHOP_TOKEN}, webhook_secret: {file: hook.secret}}
            hook: true
          - name: erp
            connector: tryton
            settings: {base_url: "https://erp.example"}
            secrets: {key: {env: ERP_KEY}}
        flows:
          - {name: orders, blueprint: web_order_to_erp, from: shop, to: erp}
          - {name: stock, blueprint: stock_to_web_shop, from: erp, to: shop}
"""


class World:
    """A file, the environment it refers to, and the database it is applied to."""

    def __init__(self, database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database, self.vault = database, new_vault(database)
        self.partner = f"p-{new_id().hex}"
        self.path = folder / "retailers.yaml"
        self.write(TEXT)
        (folder / "hook.secret").write_text("webhook-secret-1\n")
        monkeypatch.setenv("SHOP_TOKEN", "shop-token-1")
        monkeypatch.setenv("ERP_KEY", "erp-key-1")

    def write(self, text: str) -> None:
        self.path.write_text(text.replace("PARTNER", self.partner))

    async def apply(self, *, only_plan: bool = False) -> Applied:
        return await apply_file(self.path, self.database, self.vault, only_plan=only_plan)

    async def retailer(self) -> Id:
        async with begin(OperatorScope(), self.database) as session:
            found = await session.fetch_value(
                "select t.id from tenant t join partner p on p.id = t.partner_id where p.slug = $1",
                self.partner,
            )
        assert isinstance(found, Id)
        return found

    async def secret(self, connection: str, field: str) -> list[str]:
        tenant_id = await self.retailer()
        configs = await list_connections(TenantScope(tenant_id), self.database)
        found = next(each for each in configs if each.name == connection)
        booked = await ConnectionBook(self.database, self.vault).find(tenant_id, found.id)
        assert booked is not None
        return booked.secrets.reveal(field)


@pytest.fixture
def world(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(database, tmp_path, monkeypatch)


async def test_a_file_is_made_so_and_the_second_time_nothing_is_left_to_do(world: World) -> None:
    first = await world.apply()
    second = await world.apply()

    place = f"{world.partner}/maple-main"
    assert first.changes == (
        Change("create", "partner", world.partner),
        Change("create", "retailer", place),
        Change("create", "connection", f"{place}/shop"),
        Change("store", "credential", f"{place}/shop/access_token"),
        Change("store", "credential", f"{place}/shop/webhook_secret"),
        Change("issue", "hook", f"{place}/shop"),
        Change("create", "connection", f"{place}/erp"),
        Change("store", "credential", f"{place}/erp/key"),
        Change("create", "flow", f"{place}/orders"),
        Change("create", "flow", f"{place}/stock"),
    )
    assert second == Applied((), {})
    tenant_id = await world.retailer()
    assert await world.secret("shop", "webhook_secret") == ["webhook-secret-1"]
    assert await world.secret("erp", "key") == ["erp-key-1"]
    routes = await RouteBook(world.database).routes(tenant_id)
    assert sorted(route.action for found in routes.values() for route in found) == [
        "create_order",
        "set_stock",
    ]
    (path,) = first.hooks.values()
    owner = await find_hook(path.removeprefix("/hooks/"), world.database)
    assert owner is not None
    assert owner.tenant_id == tenant_id


async def test_a_plan_changes_nothing(world: World) -> None:
    planned = await world.apply(only_plan=True)
    again = await world.apply(only_plan=True)

    assert len(planned.changes) == 10
    assert again == planned
    async with begin(OperatorScope(), world.database) as session:
        found = await session.fetch("select 1 from partner where slug = $1", world.partner)
    assert found == []


async def test_only_what_differs_is_changed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.apply()
    monkeypatch.setenv("ERP_KEY", "erp-key-2")
    changed = TEXT.replace("shop_domain: maple.example", "shop_domain: main.example")
    world.write(changed.replace("to: erp}", "to: erp, enabled: false}"))

    applied = await world.apply()

    place = f"{world.partner}/maple-main"
    assert applied == Applied(
        (
            Change("change", "connection", f"{place}/shop", ("settings",)),
            Change("store", "credential", f"{place}/erp/key"),
            Change("change", "flow", f"{place}/orders", ("enabled",)),
        ),
        {},
    )
    assert await world.secret("erp", "key") == ["erp-key-2", "erp-key-1"]
    assert await world.secret("shop", "access_token") == ["shop-token-1"]
    assert (await world.apply()).changes == ()


async def test_a_connection_that_moves_gets_all_its_credentials_stored_anew(world: World) -> None:
    await world.apply()
    world.write(TEXT.replace("https://shop.example", "https://new.example"))

    applied = await world.apply()

    assert [(change.act, change.kind) for change in applied.changes] == [
        ("change", "connection"),
        ("store", "credential"),
        ("store", "credential"),
    ]
    assert await world.secret("shop", "access_token") == ["shop-token-1"]
    assert (await world.apply()).changes == ()


async def test_a_brand_that_the_file_does_not_name_stays_as_it_is(world: World) -> None:
    world.write(
        TEXT.replace("name: Harborline", "name: Harborline\n    brand: {accent: '#123456'}")
    )
    await world.apply()
    world.write(TEXT)

    assert (await world.apply()).changes == ()
    world.write(TEXT.replace("name: Harborline", "name: Harbor Line"))
    assert [change.fields for change in (await world.apply()).changes] == [("name",)]
    async with begin(OperatorScope(), world.database) as session:
        brand = await session.fetch_value(
            "select brand ->> 'accent' from partner where slug = $1", world.partner
        )
    assert brand == "#123456"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("slug: maple-main", "slug: Maple Main", "partners[1].retailers[1].slug"),
        ("hook: true", "hooks: true", "partners[1].retailers[1].connections[1].hooks"),
        ("{env: ERP_KEY}", "erp-key-in-the-file", "connections[2].secrets.key"),
        ("{env: ERP_KEY}", "{env: A, file: b}", "write either {env: NAME} or {file: path}"),
        ("{env: ERP_KEY}", "{env: NOT_SET}", "erp/key: the environment variable NOT_SET"),
        ("{file: hook.secret}", "{file: missing}", "shop/webhook_secret: the file missing"),
        ("from: shop, to: erp}", "from: till, to: erp}", "the flow orders names till"),
        ("America/New_York", "America/Gotham", "partners[1].retailers[1].timezone"),
        ("name: erp", "name: shop", "the connection shop is written twice"),
        ("hook: true", "hook: true\n            hook: true", "the key hook is written twice"),
        ("partners:", "partners: [", "line "),
        ("blueprint: web_order_to_erp", "blueprint: magic", "There is no blueprint"),
        ("connector: tryton", "connector: magic", "There is no connector called 'magic'"),
        ("shop_domain: maple", "shop_domian: maple", "has no setting called shop_domian"),
        ("{key: {env: ERP_KEY}}", "{kez: {env: ERP_KEY}}", "has no credential called kez"),
    ],
)
async def test_a_file_with_a_fault_is_refused_with_its_place_and_changes_nothing(
    world: World, old: str, new: str, words: str
) -> None:
    await world.apply()
    assert old in TEXT
    world.write(TEXT.replace(old, new).replace("Maple & Main", "Another Name"))

    with pytest.raises(PlatformError) as refusal:
        await world.apply()

    assert words in refusal.value.detail
    assert "erp-key" not in refusal.value.detail
    world.write(TEXT)
    assert (await world.apply()).changes == ()


def test_hook_paths_are_kept_for_their_owner_only_and_earlier_ones_stay(tmp_path: Path) -> None:
    path = tmp_path / "hooks.json"

    write_hooks(path, {"p/r/shop": "/hooks/one"})
    write_hooks(path, {"p/r/till": "/hooks/two"})

    assert json.loads(path.read_text()) == {"p/r/shop": "/hooks/one", "p/r/till": "/hooks/two"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["hooks.json"]
