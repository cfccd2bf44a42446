"""What the machinery around the process asks, and the contract as it is published."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI

from app.api.app import build_api
from app.api.refusals import PAGES
from infra.database.pool import open_database
from tests.app.api.conftest import Api
from tests.app.api.served import serve


async def test_the_process_lives_and_is_ready(api: Api) -> None:
    alive = await api.served.call("GET", "/livez")
    ready = await api.served.call("GET", "/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


async def test_without_the_book_the_process_lives_but_is_not_ready(
    api: Api, database_urls: tuple[str, str]
) -> None:
    gone = await open_database(database_urls[1], size=1)
    await gone.close()
    api.shop.stage.database = gone

    async with serve(api.shop.stage) as served:
        alive = await served.call("GET", "/livez")
        ready = await served.call("GET", "/readyz")

    assert alive.status_code == 200
    assert (ready.status_code, ready.json()["code"]) == (503, "service.unavailable")


async def test_metrics_are_shown_under_exactly_one_path(api: Api) -> None:
    answer = await api.served.call("GET", "/metrics")
    other = await api.served.call("GET", "/metrics/")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "delivery_attempts_total" in answer.text
    assert other.status_code == 404


async def test_the_contract_is_public_and_names_no_product(api: Api) -> None:
    answer = await api.served.call("GET", "/openapi.json")

    document = answer.json()
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Retail integration API"
    assert not re.search("tillwire", answer.text, re.IGNORECASE)


async def test_what_is_not_served_is_a_problem_document(api: Api) -> None:
    missing = await api.call("GET", "/v1/nothing")
    method = await api.call("DELETE", "/v1/messages")

    assert (missing.status_code, missing.json()["code"]) == (404, "resource.not_found")
    assert (method.status_code, method.json()["code"]) == (405, "request.method_not_allowed")
    for answer in (missing, method):
        assert answer.headers["content-type"] == "application/problem+json"


async def test_every_code_of_this_api_has_its_page(api: Api) -> None:
    for code, page in PAGES.items():
        answer = await api.served.call("GET", f"/problems/{code}")
        assert answer.json()["title"] == page.title


def test_the_thin_routes_stand_in_the_contract_with_all_their_answers() -> None:
    paths = _contract()["paths"]

    events, hooks = paths["/v1/events"]["post"], paths["/hooks/{token}"]["post"]

    assert sorted(events["responses"]) == [
        *("200", "202", "400", "401", "403", "404", "408", "409", "413", "415", "422", "429"),
        "503",
    ]
    assert sorted(hooks["responses"]) == [
        *("200", "202", "400", "401", "404", "408", "413", "429", "503"),
    ]
    assert "Idempotency-Key" in {each["name"] for each in events["parameters"]}
    assert set(events["requestBody"]["content"]) == {
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/json",
    }


def test_every_answer_beyond_success_is_a_problem_and_every_reference_leads_somewhere() -> None:
    document = _contract()

    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"]
    known = document["components"]["schemas"]
    found = re.findall(r"'#/components/schemas/(\w+)'", str(document))
    assert set(found) <= set(known)


def test_the_contract_is_the_same_however_often_it_is_built() -> None:
    assert _contract() == _contract()


def _contract() -> dict[str, Any]:
    app: FastAPI = build_api(None)  # type: ignore[arg-type]
    return app.openapi()
