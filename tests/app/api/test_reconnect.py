"""Limits and reconnect links over HTTP: the link needs no key and shows no credential."""

from __future__ import annotations

from tests.app.api.conftest import Api


async def target_of(api: Api) -> str:
    return str(api.shop.retailer.connections["target"])


async def test_the_limits_of_a_connection_show_budget_breaker_and_outages(api: Api) -> None:
    limits = await api.json(f"/v1/connections/{await target_of(api)}/limits")

    (budget,) = limits["budgets"]
    assert (limits["state"], limits["outages"]) == ("closed", [])
    assert (budget["bucket"], budget["rate_per_s"], budget["burst"]) == ("", 5000, 20000)
    assert (budget["calls"], budget["refused"], budget["paused_until"]) == (2, 0, None)
    assert 0 < budget["tokens"] <= 20000


async def test_a_link_takes_a_credential_once_without_a_key(api: Api) -> None:
    made = await api.call("POST", f"/v1/connections/{await target_of(api)}/reconnect-link")
    path = made.json()["path"]

    asked = (await api.served.call("GET", path)).json()
    given = {"credentials": {"signing_secret": "whsec_bmV3IHNlY3JldCBvZiB0aGUgc2hvcA=="}}
    first = await api.served.call("POST", path, json=given)
    second = await api.served.call("POST", path, json=given)

    assert made.status_code == 201
    assert (asked["retailer"], asked["connection"]) == ("Shop", "HTTP")
    assert [field["name"] for field in asked["fields"]] == ["signing_secret"]
    assert (first.status_code, first.json()) == (200, {"is_stored": True})
    assert (second.status_code, second.json()["code"]) == (404, "resource.not_found")
    assert api.served.rings


async def test_a_refusal_repeats_nothing_that_was_given(api: Api) -> None:
    made = await api.call("POST", f"/v1/connections/{await target_of(api)}/reconnect-link")
    path = made.json()["path"]

    answers = [
        await api.served.call("POST", path, json=body)
        for body in (
            {"credentials": {"other": "very-secret-1"}},
            {"credentials": {"signing_secret": ["very-secret-2"]}},
            {"credentials": {}, "more": "very-secret-3"},
        )
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert all("very-secret" not in answer.text for answer in answers)


async def test_a_wrong_link_is_not_found(api: Api) -> None:
    for path in ("/reconnect/" + "a" * 43, "/reconnect/x"):
        answer = await api.served.call("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "resource.not_found")
