"""Stock by API: rules, positions, why nothing moves, reservations, and oversell cases."""

from __future__ import annotations

from typing import Any

import pytest

from app.retail.inventory.keeper import keep_batch
from tenants.roles import Role
from tests.app.api.served import Served, key_of
from tests.scenarios.conftest import served, stage
from tests.scenarios.stock_shop import StockShop, line, open_stock_shop, order, position, ticket
from tests.stage import Stage

__all__ = ["served", "stage"]


@pytest.fixture
async def shop(stage: Stage) -> StockShop:
    return await open_stock_shop(stage)


async def call(
    served: Served, shop: StockShop, method: str, path: str, **request: Any
) -> tuple[int, Any]:
    key = await key_of(shop.stage, Role.RETAILER_ADMIN, tenant_id=shop.retailer.tenant_id)
    answer = await served.call(method, path, key, **request)
    return answer.status_code, answer.json()


async def test_positions_are_listed_page_by_page(served: Served, shop: StockShop) -> None:
    await shop.tell("wms", *[position(n, 0, sku=f"A/{n}") for n in range(1, 6)])
    await shop.work()

    status, first = await call(served, shop, "GET", "/v1/stock?limit=3")
    _, rest = await call(served, shop, "GET", f"/v1/stock?cursor={first['next_cursor']}")

    assert status == 200
    assert [(row["sku"], row["quantity"]) for row in [*first["items"], *rest["items"]]] == [
        (f"A/{n}", str(n)) for n in range(1, 6)
    ]
    assert rest["next_cursor"] is None
    status, refused = await call(served, shop, "GET", "/v1/stock?cursor=nonsense")
    assert (status, refused["code"]) == (422, "cursor.invalid")


async def test_it_says_in_words_why_an_article_does_not_move(
    served: Served, shop: StockShop
) -> None:
    await shop.tell("wms", position(1, 0, "store-1"))
    await shop.tell("till", ticket(1, 5, line(1, 3)))
    await shop.work()

    status, why = await call(served, shop, "GET", "/v1/stock/SKU-1")

    assert status == 200
    assert why["words"] == [
        "web: nothing was ever told, it may show 0: an update waits.",
        "store-1: 2 more sold than were on record since 2026-11-20 10:05 UTC. Count it there.",
    ]
    assert "till told" in why["last_told"]
    assert "3 from store-1 to customer, as of 2026-11-20 10:05:00 UTC." in why["last_told"]
    assert (await call(served, shop, "GET", "/v1/stock/NO-SUCH"))[0] == 404


async def test_a_rule_changes_what_is_shown_and_no_position(
    served: Served, shop: StockShop
) -> None:
    await shop.tell("wms", position(10, 0))
    await shop.work()
    path = f"/v1/stock-rules/{shop.channel('web')}"

    rule = {"safety_units": 4, "share": "0.5", "reason": "Black Friday."}
    status, put = await call(served, shop, "PUT", path, json=rule)
    await keep_batch(shop.retailer.scope, shop.stage.database)

    assert (status, put) == (200, {"version": 2, "articles": 1})
    assert await shop.targets() == {"web": 3}
    assert await shop.positions() == {"dc available": "10"}
    _, rules = await call(served, shop, "GET", "/v1/stock-rules")
    assert [(each["share"], each["safety_units"]) for each in rules["items"]] == [("0.5", 4)]


async def test_a_reservation_is_answered_at_once_and_ends(served: Served, shop: StockShop) -> None:
    await shop.tell("wms", position(3, 0))
    await shop.work()
    wish = {
        "connection_id": str(shop.channel("web")), "client_key": "cart-1", "sku": "SKU-1",
        "quantity": "2",
    }  # fmt: skip

    made = await call(served, shop, "POST", "/v1/reservations", json=wish)
    again = await call(served, shop, "POST", "/v1/reservations", json=wish)
    other = await call(
        served, shop, "POST", "/v1/reservations", json={**wish, "client_key": "cart-2"}
    )

    assert (made[0], made[1]["is_held"], made[1]["left"]) == (201, True, 1)
    assert (again[0], again[1]["reservation"]["id"]) == (200, made[1]["reservation"]["id"])
    assert other == (200, {"is_held": False, "left": 1, "reservation": None})
    path = f"/v1/reservations/{made[1]['reservation']['id']}"
    assert (await call(served, shop, "POST", f"{path}/paying"))[1]["paying_at"] is not None
    assert (await call(served, shop, "POST", f"{path}/release"))[1]["state"] == "released"
    status, refused = await call(served, shop, "POST", f"{path}/convert", json={"order_id": "o-1"})
    assert (status, refused["code"]) == (409, "reservation.released")
    assert (await call(served, shop, "GET", path))[1]["state"] == "released"


async def test_kits_places_and_conversions_are_set(served: Served, shop: StockShop) -> None:
    kit = {"kit_sku": "GIFT", "parts": [{"sku": "MUG", "quantity": "2"}]}
    assert (await call(served, shop, "PUT", "/v1/kits", json=kit))[0] == 200
    status, found = await call(served, shop, "GET", "/v1/kits?kit_sku=GIFT")
    assert (status, [part["sku"] for part in found["parts"]]) == (200, ["MUG"])
    itself = {"kit_sku": "MUG", "parts": [{"sku": "GIFT", "quantity": "1"}]}
    status, refused = await call(served, shop, "PUT", "/v1/kits", json=itself)
    assert (status, refused["code"]) == (422, "kit.contains_itself")

    place = {"location": "store-1", "heartbeat_s": 600, "dark_keeps": 2}
    assert (await call(served, shop, "PUT", "/v1/stock-places", json=place))[0] == 200
    _, places = await call(served, shop, "GET", "/v1/stock-places")
    assert [(each["location"], each["dark_keeps"]) for each in places["items"]] == [("store-1", 2)]

    case = {"sku": "SOAP", "uom": "CS", "base_uom": "EA", "numerator": 12}
    assert (await call(served, shop, "PUT", "/v1/unit-conversions", json=case)) == (
        200, {"sku": "SOAP", "uom": "CS", "factor": "12"},
    )  # fmt: skip
    other = {**case, "uom": "PL", "base_uom": "CS"}
    status, refused = await call(served, shop, "PUT", "/v1/unit-conversions", json=other)
    assert (status, refused["code"]) == (422, "stock.base_unit")


async def test_an_oversell_case_is_read_and_decided(served: Served, shop: StockShop) -> None:
    await shop.tell("wms", position(0, 0))
    await shop.tell("web", order(1, 5))
    await shop.work()

    _, page = await call(served, shop, "GET", "/v1/oversells")
    (case,) = page["items"]
    path = f"/v1/oversells/{case['id']}"
    status, refused = await call(
        served, shop, "POST", f"{path}/resolve", json={"resolution": "cancel"}
    )
    decision = {"resolution": "backorder", "message": "Back on Friday."}
    _, decided = await call(served, shop, "POST", f"{path}/resolve", json=decision)

    assert (case["order_id"], case["amount"]) == ("o-1", {"amount": "10.00", "currency": "USD"})
    assert case["cause_words"] == "less was there than was on record"
    assert case["proposal"]["resolution"] == "cancel"
    assert (status, refused["code"]) == (422, "oversell.incomplete")
    assert (decided["state"], decided["resolution"]) == ("resolved", "backorder")
    assert (await call(served, shop, "GET", path))[1]["state"] == "resolved"
