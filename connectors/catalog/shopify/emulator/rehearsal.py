"""The emulated shop without a network, for conformance runs: calls in, answers or silence out."""

from __future__ import annotations

import json

from connectors.catalog.shopify.emulator.graphql import answer_graphql
from connectors.catalog.shopify.emulator.state import ShopState
from connectors.sdk.transport import Answer, AnswerLost, Call

# What the sample of the lab believes the shop to show, so that its first call has its effect.
START_QUANTITY = 9


class Rehearsal:
    """A transport that ends at an emulated shop in this process."""

    def __init__(self) -> None:
        self._shop = ShopState(start_quantity=START_QUANTITY)
        self._is_lost = False

    async def request(self, call: Call) -> Answer:
        """Hand one call to the shop; raises AnswerLost when its answer never leaves."""
        answer = answer_graphql(self._shop, json.loads(call.body))
        if self._is_lost:
            raise AnswerLost("The emulated shop did not answer.")
        headers = {"content-type": "application/json"}
        return Answer(200, headers, json.dumps(answer).encode(), took_ms=0)

    def lose_answers(self, *, lost: bool) -> None:
        """Act from now on and say nothing, or speak again."""
        self._is_lost = lost

    def effects(self) -> int:
        """Count how often stock was really set."""
        return sum(entry["kind"] == "stock_set" for entry in self._shop.log)


def rehearse() -> Rehearsal:
    """Set up a fresh shop."""
    return Rehearsal()
