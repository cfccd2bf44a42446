"""Records whose last answer was lost: the target is asked before anything is promised."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from app.exceptions.replay import preview
from connectors import registry
from connectors.catalog.http.connector import CONNECTOR
from connectors.sdk.connector import Connector, Dispatch
from connectors.sdk.manifest import Manifest
from connectors.sdk.outcome import Found, LookUp, Missing, Unclear
from connectors.sdk.transport import Transport
from tests.app.exceptions.replay.conftest import Replays
from tests.stage import order_event


@dataclass(slots=True)
class Answers:
    """What the target says of an order id; what is not here it cannot tell."""

    by_order: dict[str, LookUp] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


class AskableHttp(CONNECTOR):
    """The generic connector for a target without keys of its own, which can be asked instead."""

    answers = Answers()

    async def look_up(self, dispatch: Dispatch, transport: Transport) -> LookUp:
        """Answer as the test says."""
        order_id = dispatch.event.object_id
        self.answers.asked.append(order_id)
        return self.answers.by_order.get(order_id, Unclear("The order list is being rebuilt."))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Make the shop's target one that is asked."""
    # Built before: whoever holds `load` itself must not build, and keep, one with this manifest.
    registry.load("http")
    known = registry.manifest("http")
    (push, *_) = known.actions
    asked = known.model_copy(update={"actions": [push.model_copy(update={"keys": "lookup"})]})
    connector = AskableHttp(asked)
    connector.answers = Answers()

    def manifest(_: str) -> Manifest:
        return asked

    def load(_: str) -> Connector:
        return connector

    monkeypatch.setattr(registry, "manifest", manifest)
    monkeypatch.setattr(registry, "load", load)
    return connector.answers


async def lose_answers(replays: Replays, count: int) -> None:
    """Set orders aside as they are when every answer was lost and nobody could tell."""
    replays.shop.target.refused.update(f"o-{number}" for number in range(1, count + 1))
    await replays.shop.sell(*(order_event(number) for number in range(1, count + 1)))
    replays.shop.target.refused.clear()
    for table in ("delivery", "hold"):
        await replays.shop.stage.write(
            replays.shop.retailer, f"update {table} set code = 'outcome.unknown'"
        )


async def test_what_the_target_has_is_not_sent_again_and_what_it_lacks_is(
    replays: Replays, answers: Answers
) -> None:
    await lose_answers(replays, 3)
    requests_before = replays.shop.target.book.request_count
    answers.by_order = {"o-1": Found("SO-1"), "o-2": Missing()}

    preview_of_three = await replays.preview(code="outcome.unknown")
    promised = [item.promised for item in await replays.items(preview_of_three.id)]
    await replays.start(preview_of_three.id)
    done = await replays.done(preview_of_three.id)

    assert promised == ["no_op", "create", "conflict"]
    assert replays.shop.target.book.request_count == requests_before + 1
    assert [order["order_id"] for order in replays.shop.target.taken] == ["o-2"]
    (first, second, third) = await replays.items(done.id)
    assert (first.happened, third.state) == ("no_op", "left_out")
    assert third.promised_words.endswith("The order list is being rebuilt.")
    assert second.happened == "create"
    assert await replays.shop.states("delivery") == {"delivered": 2, "held": 1}


async def test_a_delivered_record_is_asked_about_before_it_is_sent_again(
    replays: Replays, answers: Answers
) -> None:
    await replays.shop.sell(order_event(1), order_event(2))
    answers.asked.clear()
    answers.by_order = {"o-1": Found("SO-1"), "o-2": Missing()}

    done = await replays.replayed(since="2020-01-01T00:00:00Z", states=("delivered",))

    assert sorted(answers.asked) == ["o-1", "o-2"]
    assert replays.shop.target.book.request_count == 3
    happened = {item.label: item.happened for item in await replays.items(done.id)}
    assert happened == {"Order #1": "no_op", "Order #2": "no_op"}


async def test_too_many_to_ask_are_conflicts(
    replays: Replays, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "MOST_ASKED", 1)
    await lose_answers(replays, 2)
    answers.asked.clear()

    refused = await replays.preview(code="outcome.unknown")

    assert refused.preview["by"]["conflict"]["records"] == 2
    assert answers.asked == []
