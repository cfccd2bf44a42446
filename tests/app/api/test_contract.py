"""Whatever is sent, the answer is one that the contract names, in the shape that it names."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.app import build_api
from app.exceptions.incidents.sync import IncidentSync
from tests.app.api.conftest import Api

EXAMPLES = 25  # for each operation; a longer search is a matter of this number
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
DOCUMENT: dict[str, Any] = build_api(None).openapi()  # type: ignore[arg-type]
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [
    (method.upper(), path)
    for path, operations in DOCUMENT["paths"].items()
    for method in operations
]


KINDS = {
    "message_id": "/v1/messages",
    "event_id": "",
    "delivery_id": "/v1/deliveries",
    "exception_id": "/v1/exceptions",
    "connection_id": "/v1/connections",
    "flow_id": "/v1/flows",
    "replay_id": "/v1/replays",
    "channel_id": "/v1/alert-channels",
    "incident_id": "/v1/incidents",
    "order_id": "/v1/orders",
    "return_id": "/v1/returns",
    "price_id": "",
    "store_day_id": "/v1/store-days",
    "journal_id": "/v1/journals",
    "settlement_id": "/v1/settlements",
    "oversell_id": "/v1/oversells",
    "reservation_id": "",
}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_every_answer_is_one_that_the_contract_names(
    api: Api, method: str, path: str, mode: GenerationMode
) -> None:
    seen: Counter[int] = Counter()

    await asyncio.to_thread(_search, api, SCHEMA[path][method], mode, {}, seen)

    assert sum(seen.values()) >= 1


@pytest.mark.parametrize(
    ("method", "path"), [each for each in OPERATIONS if "_id}" in each[1] and each[0] == "GET"]
)
async def test_what_is_there_is_answered_in_the_shape_that_the_contract_names(
    api: Api, method: str, path: str
) -> None:
    (name,) = re.findall(r"\{(\w+_id)\}", path)
    ids = await _ids(api, name)
    seen: Counter[int] = Counter()

    for known in ids:
        await asyncio.to_thread(
            _search, api, SCHEMA[path][method], GenerationMode.POSITIVE, {name: known}, seen
        )

    # A generated `Tenant-Id` names nobody; without one the object is there.
    assert seen[200] >= len(ids)


async def _ids(api: Api, name: str) -> list[str]:
    if name == "event_id":
        return [item["event_id"] for item in (await api.json("/v1/deliveries"))["items"]]
    if not KINDS[name]:
        return []  # known to whoever made it, and listed nowhere by itself
    if name == "incident_id":
        await IncidentSync(api.shop.stage.database).go_on()
    if name == "channel_id":
        channel = {"kind": "mail", "name": "Operations", "address": "ops@example.com"}
        await api.call("POST", "/v1/alert-channels", json=channel)
    if name == "replay_id":
        wanted = {"selection": {"code": "target.refused"}, "reason": "A look."}
        await api.call("POST", "/v1/replays", json=wanted)
    return [item["id"] for item in (await api.json(KINDS[name]))["items"]]


def _search(  # one operation, in one mode, about generated or known objects
    api: Api,
    operation: Any,
    mode: GenerationMode,
    known: dict[str, str],
    seen: Counter[int],
) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def search(case: Any) -> None:
        case.path_parameters = {**(case.path_parameters or {}), **known}
        answer = case.call(base_url=api.served.url, headers={"authorization": f"Bearer {api.key}"})
        seen[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    try:
        search()
    except Unsatisfiable:
        # Nothing about this operation can be against its contract: it takes no input.
        seen[0] += 1
