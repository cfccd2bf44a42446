"""Names and owners over the API: bound, accepted, decided, previewed, and who said what."""

from __future__ import annotations

from typing import Any

from app.identities.bindings import Name
from app.identities.by_name import propose_by_name
from connectors.canonical.event import BODIES, ORDER_PLACED
from infra.database.unit import begin
from tenants.audit import verify_chain
from tests.app.api.conftest import Api


def ids(api: Api) -> dict[str, str]:
    return {name: str(each) for name, each in api.shop.retailer.connections.items()}


async def bind(api: Api, external_id: str, **more: Any) -> Any:
    name = {"connection_id": ids(api)["source"], "external_id": external_id, "reason": "A list."}
    return await api.call("POST", "/v1/names", json={**name, **more})


async def test_a_name_is_bound_listed_ended_and_its_past_is_shown(api: Api) -> None:
    made = (await bind(api, "TS-1", label="Shirt")).json()
    again = await bind(api, "TS-1", object_id=made["object_id"])
    listed = await api.one(f"/v1/names?connection={ids(api)['source']}")

    ended = await api.call(
        "POST",
        "/v1/names/end",
        json={"connection_id": ids(api)["source"], "external_id": "TS-1", "reason": "Recycled."},
    )

    assert again.json() == made
    assert (listed["external_id"], listed["number"], listed["label"]) == ("TS-1", "TS-1", "Shirt")
    (meaning,) = ended.json()["items"]
    assert (meaning["object_id"], meaning["valid_to"] is None) == (made["object_id"], False)
    empty = await api.json(f"/v1/names?connection={ids(api)['source']}")
    assert empty == {"items": [], "next_after": None}


async def test_a_number_in_use_is_refused_until_its_binding_has_an_end(api: Api) -> None:
    """E-D19. A recycled SKU is another article, from a date on."""
    await bind(api, "SKU-9")
    other = (await bind(api, "SKU-8")).json()["object_id"]

    refused = await bind(api, "SKU-9", object_id=other)

    assert (refused.status_code, refused.json()["code"]) == (409, "identity.bound_elsewhere")


async def test_names_are_paged_in_their_order(api: Api) -> None:
    for name in ("C", "A", "B"):
        await bind(api, name)

    first = await api.json(f"/v1/names?connection={ids(api)['source']}&limit=2")
    second = await api.json(
        f"/v1/names?connection={ids(api)['source']}&limit=2&after={first['next_after']}"
    )

    assert [each["external_id"] for each in first["items"]] == ["A", "B"]
    assert [each["external_id"] for each in second["items"]] == ["C"]
    assert second["next_after"] is None


async def test_objects_are_merged_and_split(api: Api) -> None:
    one = (await bind(api, "A")).json()["object_id"]
    two = (await bind(api, "B")).json()["object_id"]

    merged = await api.call(
        "POST", f"/v1/names/objects/{one}/merge", json={"into": two, "reason": "The same."}
    )
    split = await api.call(
        "POST",
        f"/v1/names/objects/{two}/split",
        json={
            "connection_id": ids(api)["source"],
            "external_ids": ["A"],
            "reason": "Two after all.",
        },
    )

    assert (merged.status_code, merged.json()) == (200, {"object_id": two})
    assert split.status_code == 200
    items = (await api.json(f"/v1/names?connection={ids(api)['source']}"))["items"]
    objects = {each["external_id"]: each["object_id"] for each in items}
    assert objects == {"A": split.json()["object_id"], "B": two}


async def test_a_probable_name_is_accepted_once(api: Api) -> None:
    await bind(api, "ABC-1")
    scope, database = api.shop.retailer.scope, api.shop.stage.database
    target = api.shop.retailer.connections["target"]
    async with begin(scope, database) as session:
        await propose_by_name(session, [Name(target, "variant", "abc1")])

    match = await api.one(f"/v1/name-matches?connection={target}")
    accepted = await api.call("POST", f"/v1/name-matches/{match['id']}/accept")
    again = await api.call("POST", f"/v1/name-matches/{match['id']}/reject")

    assert (match["external_id"], match["reasons"]) == ("abc1", ["nearly the same SKU"])
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    assert (again.status_code, again.json()["code"]) == (409, "identity.decided")


async def test_a_rule_is_previewed_set_and_shown(api: Api) -> None:
    """The flow of stock from the source would write what the target owns."""
    await api.shop.stage.flow(
        api.shop.retailer, "source", "target", types=["retail.stock.position.v1"]
    )
    rule = {"group": "stock", "owner_id": ids(api)["target"], "reason": "The target counts."}

    preview = await api.call("POST", "/v1/ownership/preview", json=rule)
    before = await api.json("/v1/ownership")
    made = await api.call("POST", "/v1/ownership", json=rule)

    assert preview.json()["words"] == "This flow writes what the source does not own."
    (offending,) = preview.json()["offending"]
    assert (offending["source"], offending["group"], offending["on_foreign"]) == (
        "source",
        "stock",
        "hold",
    )
    assert [each["rules"] for each in before["items"]] == [[]] * 6
    groups = {each["group"]: each for each in (await api.json("/v1/ownership"))["items"]}
    (shown,) = groups["stock"]["rules"]
    assert (shown["id"], shown["owner_id"], shown["counts"]) == (
        made.json()["id"],
        ids(api)["target"],
        True,
    )
    async with begin(api.shop.retailer.scope, api.shop.stage.database) as session:
        acts = await session.fetch("select action from audit where action like 'ownership.%'")
    assert [row["action"] for row in acts] == ["ownership.set_rule"]
    await verify_chain(api.shop.retailer.scope, api.shop.stage.database)


async def test_every_fact_says_who_said_it_when_and_under_which_contract(api: Api) -> None:
    found = await api.json("/v1/facts?object=o-2")

    (fact,) = found["facts"]
    assert (fact["said_by"], fact["type"], fact["contract"]) == (
        "source",
        ORDER_PLACED,
        BODIES[ORDER_PLACED][1],
    )
    assert fact["occurred_at"] == "2026-11-20T10:00:00Z"
    assert fact["connection_id"] == ids(api)["source"]
    assert found["stated"] == []


async def test_an_unknown_group_or_connection_is_refused_and_nothing_is_set(api: Api) -> None:
    other = {"group": "weather", "owner_id": None, "reason": "A try."}
    nobody = {
        "group": "stock",
        "owner_id": "00000000-0000-0000-0000-000000000000",
        "reason": "A try.",
    }

    answers = [await api.call("POST", "/v1/ownership", json=each) for each in (other, nobody)]

    assert [each.status_code for each in answers] == [422, 404]
    rows = await api.shop.stage.rows(api.shop.retailer, "select id from ownership_rule")
    assert rows == []
