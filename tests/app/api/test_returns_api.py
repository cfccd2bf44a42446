"""Returns over the API: start one, see whose turn it is, tell what was seen, answer what is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from infra.database.pool import Database
from infra.ids import new_id
from tenants.roles import Role
from tests.app.api.served import Served, key_of, serve
from tests.scenarios.return_shop import ORDER, ReturnShop, a_return_shop, an_order, returns_go_on
from tests.stage import Stage, open_stage


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(stage: Stage) -> AsyncIterator[Served]:
    async with serve(stage) as running:
        yield running


async def a_key(shop: ReturnShop) -> str:
    return await key_of(shop.stage, Role.RETAILER_ADMIN, tenant_id=shop.retailer.tenant_id)


START: dict[str, Any] = {
    "return_id": "RX-1", "kind": "in_store", "order_id": "o-1", "currency": "USD",
    "location": "store-1", "initiated_at": "2026-11-20T10:00:00Z",
    "lines": [{"line_id": "r1", "order_line_id": "1", "sku": "SCARF", "quantity": "2"}],
}  # fmt: skip


async def test_a_return_is_started_told_and_comes_to_its_end(stage: Stage, served: Served) -> None:
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        key = await a_key(shop)
        await shop.tell(ORDER, an_order())
        await stage.settled(shop.retailer)
        began = await served.call("POST", "/v1/returns", key, json=START)
        again = await served.call("POST", "/v1/returns", key, json=START)
        path = f"/v1/returns/{began.json()['id']}"
        await shop.waits_at("R3")
        facts = [
            {"kind": "received", "line_id": "r1", "quantity": "2"},
            {"kind": "inspected", "line_id": "r1", "quantity": "2", "disposition": "restock",
             "location": "store-1"},
        ]  # fmt: skip
        for fact in facts:
            told = await served.call("POST", f"{path}/facts", key, json=fact)
            assert told.status_code == 200
        await shop.ends()
        whole = (await served.call("GET", path, key)).json()
        listed = (await served.call("GET", "/v1/returns?state=any", key)).json()

        assert (began.status_code, again.json()["id"]) == (201, began.json()["id"])
        assert (whole["status"], whole["agreement"]) == ("closed_complete", "1111")
        assert whole["refunded"] == {"amount": "21.86", "currency": "USD"}
        back = [(each["kind"], each["refunded"]["amount"]) for each in whole["tenders"]]
        assert back == [("gift_card", "5.00"), ("card", "16.86")]
        assert [each["id"] for each in whole["steps"]] == [f"R{n}" for n in range(1, 12)]
        pay = next(each for each in whole["steps"] if each["id"] == "R7")
        assert {(work["words"], work["state_words"]) for work in pay["works"]} == {
            ("pay 5.00 USD back by gift card", "is done"),
            ("pay 16.86 USD back by card", "is done"),
        }
        assert [each["id"] for each in listed["items"]] == [whole["id"]]


async def test_a_question_is_read_and_answered(stage: Stage, served: Served) -> None:
    async with a_return_shop(stage) as shop, returns_go_on(stage):
        key = await a_key(shop)
        began = await served.call("POST", "/v1/returns", key, json=START)
        path = f"/v1/returns/{began.json()['id']}"
        await shop.asked("sale_unknown")
        asked = (await served.call("GET", path, key)).json()
        wrong = {"question": "sale_unknown", "subject": "o-1", "choice": "burn_it"}
        refused = await served.call("POST", f"{path}/answer", key, json=wrong)
        right = wrong | {"choice": "no_receipt"}
        answered = await served.call("POST", f"{path}/answer", key, json=right)
        late = await served.call("POST", f"{path}/answer", key, json=right)

        assert asked["turn"] == "a person"
        assert asked["questions"][0]["choices"] == {
            "no_receipt": "Take it as a return without a receipt."
        }
        assert (refused.status_code, refused.json()["code"]) == (422, "return.no_such_choice")
        assert (answered.status_code, answered.json()["questions"]) == (200, [])
        assert (late.status_code, late.json()["code"]) == (409, "return.not_asked")


async def test_a_fact_that_lacks_something_is_refused_and_nothing_is_written(
    stage: Stage, served: Served
) -> None:
    async with a_return_shop(stage) as shop:
        key = await a_key(shop)
        began = await served.call("POST", "/v1/returns", key, json=START)
        path = f"/v1/returns/{began.json()['id']}"
        incomplete = {"kind": "inspected", "line_id": "r1", "quantity": "2"}
        refused = await served.call("POST", f"{path}/facts", key, json=incomplete)
        after = (await served.call("GET", path, key)).json()

        assert (refused.status_code, refused.json()["code"]) == (422, "return.fact_incomplete")
        assert refused.json()["errors"][0]["pointer"] == "/disposition"
        assert {each["kind"] for each in after["facts"]} == {"opened", "terms_known"}


async def test_terms_are_kept_and_backlog_and_missing_ids_answer(
    stage: Stage, served: Served
) -> None:
    async with a_return_shop(stage) as shop:
        key = await a_key(shop)
        terms = {"window_days": 14, "approve_above": "100.00", "elsewhere": ["customer"]}
        put = await served.call("PUT", "/v1/return-terms", key, json=terms)
        got = await served.call("GET", "/v1/return-terms", key)
        backlog = await served.call("GET", "/v1/return-backlog", key)
        missing = await served.call("GET", f"/v1/returns/{new_id()}", key)

        assert put.status_code == 200
        assert (got.json()["window_days"], got.json()["approve_above"]) == (14, "100.00")
        assert got.json()["elsewhere"] == ["customer"]
        assert backlog.json() == {"items": []}
        assert missing.status_code == 404
