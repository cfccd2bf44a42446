"""Work on exceptions, mappings and overrides by hand over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from infra import clock
from tenants.roles import Role
from tests.app.api.conftest import Api
from tests.app.api.served import key_of
from tests.stage import order_event

STORE_7 = {"path": "body.store", "kind": "constant", "value": "7"}


async def post(api: Api, to: str, **body: Any) -> Any:
    answer = await api.call("POST", to, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def flow_path(api: Api) -> str:
    return f"/v1/flows/{(await api.one('/v1/flows'))['id']}"


async def test_an_exception_is_taken_tagged_and_spoken_about(api: Api) -> None:
    held = await api.one("/v1/exceptions?code=target.refused")
    path = f"/v1/exceptions/{held['id']}"

    mine = await post(api, f"{path}/assign", owner="me")
    tagged = await post(api, f"{path}/tag", add=["vat"])
    said = await post(api, f"{path}/comment", words="Called the customer.")

    assert mine["owner"].startswith("key:")
    assert tagged["tags"] == ["vat"]
    assert [each["words"] for each in said["items"]] == ["Called the customer."]
    assert (await api.json(f"{path}/remarks")) == said
    assert (await api.one("/v1/exceptions?owner=me"))["id"] == held["id"]
    assert (await api.one("/v1/exceptions?owner=nobody"))["id"] != held["id"]
    assert (await api.one("/v1/exceptions?tag=vat"))["id"] == held["id"]
    assert held["event_type"] == "retail.order.placed.v1"


async def test_exceptions_are_sorted_by_money_and_a_cursor_belongs_to_its_order(api: Api) -> None:
    first = await api.json("/v1/exceptions?sort=money&limit=1")
    second = await api.json(f"/v1/exceptions?sort=money&limit=1&cursor={first['next_cursor']}")
    other = await api.call("GET", f"/v1/exceptions?sort=age&cursor={first['next_cursor']}")

    assert [each["at_stake"]["amount"] for each in (*first["items"], *second["items"])] == [
        "25.00", "20.00",
    ]  # fmt: skip
    assert second["next_cursor"] is None
    assert (other.status_code, other.json()["code"]) == (422, "cursor.invalid")


async def test_many_are_previewed_then_discarded(api: Api) -> None:
    wanted = {"act": "discard", "filter": {"state": "open"}, "reason": "All of it was a test."}

    preview = await post(api, "/v1/exceptions/bulk", **wanted, preview=True)
    before = (await api.json("/v1/exceptions"))["items"]
    done = await post(api, "/v1/exceptions/bulk", **wanted)

    assert preview["result"] is None
    assert preview["preview"]["would_do"] == 2
    assert preview["preview"]["money"] == [{"amount": "45.00", "currency": "USD"}]
    assert sorted(done["result"]["done"]) == sorted(each["id"] for each in before)
    assert (done["result"]["refused"], done["result"]["left"]) == ([], 0)
    assert (await api.json("/v1/exceptions"))["items"] == []
    assert len(api.served.rings) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"act": "release"},
        {"act": "release", "ids": [], "filter": {}},
        {"act": "discard", "ids": []},
        {"act": "assign", "ids": []},
        {"act": "tag", "ids": []},
        {"act": "release", "filter": {"odd": 1}},
        {"act": "erase", "ids": []},
        {"act": "release", "ids": ["no id"]},
    ],
)
async def test_an_act_that_is_not_whole_is_refused(api: Api, body: dict[str, Any]) -> None:
    answer = await api.call("POST", "/v1/exceptions/bulk", json=body)

    assert answer.status_code == 422
    assert len((await api.json("/v1/exceptions"))["items"]) == 2


async def test_an_edit_is_previewed(api: Api) -> None:
    held = await api.one("/v1/exceptions?code=target.refused")
    delivery = await api.json(f"/v1/deliveries/{held['delivery_id']}")
    content = (await api.json(f"/v1/events/{delivery['event_id']}"))["content"]
    content["body"]["store"] = "9"

    tried = await post(
        api, f"/v1/exceptions/{held['id']}/edit", reason="Store.", event=content, preview=True
    )

    assert tried["is_preview"] is True
    assert [each["pointer"] for each in tried["changes"]] == ["/body/store"]
    assert tried["exception"]["state"] == "open"


async def test_a_mapping_is_tried_published_compared_and_taken_back(api: Api) -> None:
    path = await flow_path(api)

    tried = await post(api, f"{path}/versions/preview", overrides=[STORE_7])
    published = await post(
        api, f"{path}/versions", overrides=[STORE_7], note="The shop is store 7.", based_on=1
    )
    compared = await api.json(f"{path}/versions/compare")
    back = await post(api, f"{path}/versions", from_version=1, note="It was not.")
    listed = await api.json(f"{path}/versions")

    assert (tried["tried"], tried["changed"], tried["fails"], tried["based_on"]) == (2, 2, 0, 1)
    assert tried["samples"][0]["changes"] == [
        {"pointer": "/body/store", "before": None, "after": '"7"'}
    ]
    assert (published["version"], published["overrides"]) == (2, [STORE_7])
    assert (compared["version"]["version"], compared["against"]) == (2, 1)
    assert [each["pointer"] for each in compared["changes"]] == ["/overrides/0"]
    assert (back["version"], back["overrides"]) == (3, [])
    assert [each["version"] for each in listed["items"]] == [3, 2, 1]
    assert (await api.json(path))["version"] == 3


async def test_who_may_not_read_payloads_sees_where_a_mapping_changes_not_what(api: Api) -> None:
    retailer = api.shop.retailer
    (partner,) = await api.shop.stage.rows(retailer, "select partner_id from tenant")
    key = await key_of(api.shop.stage, Role.PARTNER_ADMIN, partner_id=partner["partner_id"])

    answer = await api.served.call(
        "POST",
        f"{await flow_path(api)}/versions/preview",
        key,
        tenant=retailer.tenant_id,
        json={"overrides": [STORE_7]},
    )

    assert answer.json()["samples"][0]["changes"] == [
        {"pointer": "/body/store", "before": None, "after": None}
    ]


async def test_rules_that_cannot_be_used_are_named_by_their_place(api: Api) -> None:
    rules = [STORE_7, {"path": "body.lines[*].tax_code", "kind": "constant", "value": 4.5}]

    answer = await api.call(
        "POST", f"{await flow_path(api)}/versions", json={"overrides": rules, "note": "A try."}
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "mapping.invalid")
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/overrides/1/path"]


async def test_an_override_by_hand_is_made_listed_used_and_ended(api: Api) -> None:
    flow_id = (await flow_path(api)).rpartition("/")[2]
    until = (clock.now() + timedelta(hours=1)).isoformat()

    made = await post(
        api,
        "/v1/overrides",
        flow_id=flow_id,
        kind="set",
        object_id="o-5",
        path="body.store",
        value="7",
        reason="Moved by hand today.",
        expires_at=until,
    )
    await api.shop.sell(order_event(5))
    used = await api.one("/v1/overrides")
    ended = await post(api, f"/v1/overrides/{made['id']}/end", reason="Done.")

    assert (made["is_active"], made["used"], used["used"]) == (True, 0, 1)
    assert [order.get("store") for order in api.shop.target.taken] == [None, "7"]
    assert ended["is_active"] is False
    assert (await api.json("/v1/overrides"))["items"] == []
    assert (await api.one("/v1/overrides?with_ended=true"))["id"] == made["id"]
