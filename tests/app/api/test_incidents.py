"""Incidents over the API and on the command line: the same rows, in words that people understand."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.program import program
from app.exceptions.incidents.sync import IncidentSync
from infra import clock
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from infra.ids import new_id
from tenants.roles import Role
from tests.app.api.conftest import Api
from tests.app.api.served import key_of

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(database_urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command as a terminal would; in a thread, because commands own their event loop."""
    monkeypatch.setenv("DATABASE_URL", database_urls[1])
    monkeypatch.setenv("TILLWIRE_MASTER_KEY", base64.b64encode(b"k" * 32).decode())
    monkeypatch.setenv("COLUMNS", "400")

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, program, list(arguments))

    return invoke


async def grouped(api: Api) -> dict[str, Any]:
    """Let the duty look, and give the incident of the order that the target refused."""
    await IncidentSync(api.shop.stage.database, quiet_for=timedelta(0)).go_on()
    items = (await api.json("/v1/incidents"))["items"]
    (refused,) = [each for each in items if each["code"] == "target.refused"]
    return dict(refused)


async def name_of(api: Api) -> str:
    async with begin(OperatorScope("test"), api.shop.stage.database) as session:
        name: str = await session.fetch_value(
            "select p.slug || '/' || t.slug from tenant t join partner p on p.id = t.partner_id"
            " where t.id = $1",
            api.shop.retailer.tenant_id,
        )
    return name


async def test_an_incident_says_what_is_wrong_what_it_costs_and_what_to_do(api: Api) -> None:
    incident = await grouped(api)

    shown = await api.json(f"/v1/incidents/{incident['id']}")
    records = await api.json(f"/v1/incidents/{incident['id']}/records")

    assert shown["incident"] == incident
    assert incident["title"] == "target cannot take 1 order: a value is missing or wrong (customer)"
    assert incident["words"].startswith(
        "1 record held for a decision (1 order). 20.00 USD at risk."
    )
    assert (incident["state"], incident["severity"], incident["held"]) == ("new", 1, 1)
    assert incident["at_risk"] == [{"amount": "20.00", "currency": "USD"}]
    assert incident["cause"]["kind"] == "none"
    assert shown["next_step"].startswith("Look at one of the records.")
    assert [each["label"] for each in shown["samples"]] == ["Order #1"]
    assert [each["kind"] for each in shown["moments"]] == ["opened"]
    assert shown["channels"] == ["source"]
    (record,) = records["items"]
    assert record["at_stake"] == {"amount": "20.00", "currency": "USD"}
    assert record["exception_id"] == shown["samples"][0]["exception_id"]


async def test_what_a_source_sent_wrong_is_told_of_the_source(api: Api) -> None:
    await grouped(api)

    titles = {each["code"]: each["title"] for each in (await api.json("/v1/incidents"))["items"]}

    assert titles["order.totals_differ"].startswith(
        "1 record from source cannot be used: the parts do not come to the total"
    )


async def test_lists_are_paged_and_filtered(api: Api) -> None:
    incident = await grouped(api)

    first = await api.json("/v1/incidents?limit=1")
    second = await api.json(f"/v1/incidents?limit=1&cursor={first['next_cursor']}")
    other = await api.json("/v1/incidents?class=auth")
    bad = await api.call("GET", "/v1/incidents?class=No%20class")
    foreign = await api.call("GET", f"/v1/exceptions?cursor={first['next_cursor']}")

    assert {each["id"] for each in first["items"] + second["items"]} >= {incident["id"]}
    assert second["next_cursor"] is None
    assert other == {"items": [], "next_cursor": None}
    assert (bad.status_code, foreign.status_code) == (422, 422)


async def test_people_take_remark_snooze_and_close(api: Api) -> None:
    incident = await grouped(api)
    path = f"/v1/incidents/{incident['id']}"
    until = (clock.now() + timedelta(hours=2)).isoformat()

    taken = await api.call("POST", f"{path}/assign")
    given = await api.call("POST", f"{path}/assign", json={"owner": "Ada", "due_at": until})
    noted = await api.call("POST", f"{path}/comment", json={"words": "Asked the customer."})
    snoozed = await api.call("POST", f"{path}/snooze", json={"until": until})
    refused = await api.call("POST", f"{path}/resolve", json={"words": "Done."})
    hold = (await api.json(f"{path}/records"))["items"][0]
    await api.call(
        "POST", f"/v1/exceptions/{hold['exception_id']}/discard", json={"reason": "A test."}
    )
    closed = await api.call("POST", f"{path}/resolve", json={"words": "A test order."})

    assert taken.json()["owner"].startswith("key:")
    assert (given.json()["owner"], hold["owner"]) == ("Ada", "Ada")
    assert noted.status_code == 200
    assert snoozed.json()["snoozed_until"] is not None
    assert (refused.status_code, refused.json()["code"]) == (409, "incident.still_open")
    assert refused.json()["detail"].startswith("Still held: 1 record.")
    assert (closed.json()["state"], closed.json()["resolution"]) == ("resolved", "A test order.")
    history = (await api.json(path))["moments"]
    assert [each["kind"] for each in history] == [
        *("resolved", "snoozed", "commented", "assigned", "assigned", "opened"),
    ]


async def test_a_missing_incident_is_not_found_for_every_act(api: Api) -> None:
    for missing in (new_id(), "1"):
        for act, body in (
            ("assign", {"owner": "Ada"}),
            ("comment", {"words": "x"}),
            ("snooze", {"until": None}),
            ("resolve", {"words": "xxx"}),
        ):
            answer = await api.call("POST", f"/v1/incidents/{missing}/{act}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (404, "resource.not_found")


async def test_the_operator_sees_causes_across_retailers(api: Api) -> None:
    incident = await grouped(api)
    key = await key_of(api.shop.stage, Role.OPERATOR)

    wide = (await api.served.call("GET", "/v1/incident-groups?limit=200", key)).json()["items"]
    own = (await api.json("/v1/incident-groups"))["items"]

    (group,) = [each for each in wide if each["fingerprint"] == incident["fingerprint"]]
    (mine,) = [each for each in own if each["fingerprint"] == incident["fingerprint"]]
    assert group["retailer_count"] >= mine["retailer_count"] == 1
    assert incident["id"] in [each["incident_id"] for each in group["retailers"]]
    assert mine["retailers"] == [
        {
            "tenant_id": str(api.shop.retailer.tenant_id),
            "name": "Shop",
            "incident_id": incident["id"],
            "state": "new",
            "severity": 1,
            "records": 1,
            "at_risk": [{"amount": "20.00", "currency": "USD"}],
        }
    ]
    assert "#1" not in json.dumps(wide)


@pytest.mark.parametrize("words", [["incidents"], ["incidents", "list"]])
async def test_the_list_on_the_command_line(api: Api, run: Run, words: list[str]) -> None:
    incident = await grouped(api)
    name = await name_of(api)

    told = await run(*words, name)
    as_json = await run(*words, name, "--json")
    everything = await run(*words)

    assert told.exit_code == 0, told.output
    assert incident["title"] in told.stdout
    assert incident["id"][-12:] in told.stdout
    assert "20.00 USD" in told.stdout
    assert "No change of ours came before." in told.stdout
    assert incident["id"] in [each["id"] for each in json.loads(as_json.stdout)]
    assert name in everything.stdout


async def test_one_incident_on_the_command_line(api: Api, run: Run) -> None:
    incident = await grouped(api)
    tail = incident["id"][-12:]

    assigned = await run("incidents", "assign", tail, "Grace")
    noted = await run("incidents", "comment", tail, "Called the supplier.")
    refused = await run("incidents", "resolve", tail, "Done.")
    shown = await run("incidents", "show", incident["id"])
    unknown = await run("incidents", "show", "000000000000")

    assert "Grace is on it." in assigned.stdout
    assert noted.exit_code == 0
    assert (refused.exit_code, refused.stderr[:22]) == (2, "Still held: 1 record. ")
    assert "Called the supplier." in shown.stdout
    assert "Do first: Look at one of the records." in shown.stdout
    assert "docs/runbooks/records-refused.md" in shown.stdout
    assert (unknown.exit_code, unknown.stdout) == (2, "")
