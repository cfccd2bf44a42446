"""No call leaves while a database transaction is open."""

from __future__ import annotations

import pytest

from infra.egress.client import EgressClient, OutboundRequest
from infra.egress.guard import transaction_is_open
from infra.egress.policy import EgressPolicy
from tests.infra.egress.targets import OK, answering, running_target


async def test_no_call_leaves_while_a_transaction_is_open() -> None:
    async with (
        running_target(answering(OK)) as target,
        EgressClient(EgressPolicy(target.allow)) as client,
    ):
        token = transaction_is_open.set(True)
        try:
            with pytest.raises(RuntimeError, match="egress inside a transaction"):
                await client.request(OutboundRequest("GET", target.url, {}))
        finally:
            transaction_is_open.reset(token)

        assert (target.requests, target.writers) == ([], [])
        answer = await client.request(OutboundRequest("GET", target.url, {}))

    assert answer.status == 200
