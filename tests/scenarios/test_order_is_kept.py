"""Events of one key go in order, values give way to newer ones, and only the key at fault waits."""

from __future__ import annotations

from typing import Any

import pytest

from app.exceptions.discard import discard_hold
from app.exceptions.release import release_hold
from connectors.catalog.http import connector as http_connector
from connectors.catalog.http.mapping import read_message
from connectors.catalog.http.push import push
from connectors.sdk.connector import Dispatch
from connectors.sdk.message import RawMessage, Reading
from connectors.sdk.outcome import Outcome
from connectors.sdk.transport import Transport
from tests.scenarios.told import KeepingTarget
from tests.scenarios.wholesaler import STOCK, Wholesaler, open_wholesaler, stock_event
from tests.stage import Stage, order_event

ONE, TWO = "order:o-1|#1", "order:o-2|#2"


@pytest.fixture
async def shop(stage: Stage, target: KeepingTarget) -> Wholesaler:
    return await open_wholesaler(stage, target)


@pytest.mark.parametrize("decide", [release_hold, discard_hold])
async def test_followers_of_a_refused_order_wait_and_go_on_in_order_after_the_decision(
    shop: Wholesaler, decide: Any
) -> None:
    shop.target.refused.add(ONE)
    versions = [order_event(n, version=str(v)) for v in range(1, 6) for n in (1, 2)]
    await shop.accept(*versions)
    await shop.work()
    assert shop.told() == [f"order:o-2 o-2-{v}" for v in range(1, 6)]
    assert await shop.states() == {"held": 1, "ready": 4, "delivered": 5}
    (hold,) = await shop.holds()
    assert (hold["code"], hold["pointer"], str(hold["amount"])) == (
        "target.refused",
        "/data/number",
        "20.000000",
    )
    assert await shop.unaccounted() == 0

    shop.target.refused.clear()
    await decide(shop.retailer.scope, shop.stage.database, hold["id"], "looked at", lambda: None)
    await shop.work()

    first = 1 if decide is release_hold else 2
    assert shop.told()[5:] == [f"order:o-1 o-1-{v}" for v in range(first, 6)]
    assert await shop.holds() == []
    assert await shop.unaccounted() == 0


async def test_a_second_refusal_in_the_same_lane_is_held_after_the_first_is_released(
    shop: Wholesaler,
) -> None:
    shop.target.refused.add(ONE)
    await shop.accept(*[order_event(1, version=str(v)) for v in (1, 2, 3)])
    await shop.work()
    (first,) = await shop.holds()

    await discard_hold(
        shop.retailer.scope, shop.stage.database, first["id"], "wrong one", lambda: None
    )
    await shop.work()

    (second,) = await shop.holds()
    assert second["delivery_id"] != first["delivery_id"]
    assert [each["state"] for each in await shop.deliveries()] == ["discarded", "held", "ready"]
    assert (shop.told(), await shop.unaccounted()) == ([], 0)


async def test_of_100_stock_updates_while_the_target_is_down_only_the_newest_is_sent(
    stage: Stage, target: KeepingTarget
) -> None:
    shop = await open_wholesaler(stage, target, ordering="latest_wins", kind=STOCK)
    shop.down(unavailable=1.0)

    async with stage.engine(retry_scale=20.0):
        for lot in range(4):
            await shop.accept(*[stock_event(25 * lot + n) for n in range(1, 26)])
            await stage.until(
                shop.retailer, "select count(*) from message where state = 'received'", 0
            )
        shop.down()
        await stage.rests(shop.retailer)

    assert [event["data"]["available"] for event in target.events()] == ["100"]
    assert await shop.states() == {"superseded": 99, "delivered": 1}
    assert await shop.fates() == {"superseded": 99, "delivered": 1}
    assert await shop.unaccounted() == 0


async def test_a_newer_stock_value_takes_the_place_of_one_that_is_held(
    stage: Stage, target: KeepingTarget
) -> None:
    shop = await open_wholesaler(stage, target, ordering="latest_wins", kind=STOCK)
    target.refused.add("stock:main/SKU-001|")
    await shop.accept(stock_event(1))
    await shop.work()
    assert [each["code"] for each in await shop.holds()] == ["target.refused"]

    target.refused.clear()
    await shop.accept(stock_event(2))
    await shop.work()

    assert [event["data"]["available"] for event in target.events()] == ["2"]
    assert await shop.holds() == []
    assert (await shop.fates(), await shop.unaccounted()) == ({"superseded": 1, "delivered": 1}, 0)


async def test_two_stock_flows_to_one_target_do_not_replace_each_others_values(
    stage: Stage, target: KeepingTarget
) -> None:
    shop = await open_wholesaler(stage, target, ordering="latest_wins", kind=STOCK)
    await stage.flow(shop.retailer, "source", "target", types=[STOCK], ordering="latest_wins")

    await shop.accept(stock_event(7))
    await shop.work()

    assert [event["data"]["available"] for event in target.events()] == ["7", "7"]
    assert await shop.states() == {"delivered": 2}


async def test_an_order_whose_retries_are_used_up_is_held_and_arrives_after_release(
    shop: Wholesaler,
) -> None:
    # The shortest schedule: of another one in so little time the breaker would have its own opinion.
    await shop.stage.write(shop.retailer, "update flow set class = 3")
    shop.stage.routes.forget(shop.retailer.tenant_id)
    shop.down(errors=1.0)
    await shop.accept(order_event(1))
    await shop.work(retry_scale=1e6)
    (hold,) = await shop.holds()
    requests = shop.target.book.request_count

    shop.down()
    await release_hold(
        shop.retailer.scope, shop.stage.database, hold["id"], "it works again", lambda: None
    )
    await shop.work()

    assert (hold["code"], requests) == ("retries.exhausted", 9)
    assert hold["words"].startswith("Tried 9 times. ")
    assert shop.told() == ["order:o-1 o-1-1"]
    assert (await shop.fates(), await shop.unaccounted()) == ({"delivered": 1}, 0)


async def test_a_lost_authorization_costs_no_attempt_and_ends_with_a_new_secret(
    shop: Wholesaler,
) -> None:
    shop.down(unauthorized=1.0)
    await shop.accept(*[order_event(n) for n in range(1, 6)])
    state = "select state from connection_health"

    async with shop.stage.engine(retry_scale=1.0):
        await shop.stage.until(shop.retailer, state, "authorization_lost")
        waiting = "select count(*) from delivery where state in ('waiting', 'ready')"
        await shop.stage.until(shop.retailer, waiting, 5)
        attempts = [each["attempt_count"] for each in await shop.deliveries()]
        shop.down()
        await shop.stage.give_secret(shop.retailer, "target", ["signing_secret"])
        await shop.stage.rests(shop.retailer, at_most_s=10)

    assert attempts == [0] * 5
    assert sorted(shop.told()) == [f"order:o-{n} o-{n}-1" for n in range(1, 6)]
    assert (await shop.fates(), await shop.unaccounted()) == ({"delivered": 5}, 0)


async def test_a_breaker_opens_on_a_dead_target_and_closes_when_it_works_again(
    shop: Wholesaler, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first pause of 15 s, scaled like the retry schedule.
    monkeypatch.setattr("app.connections.health.PROBE_FIRST_S", 1.0)
    monkeypatch.setattr("app.connections.breaker.PROBE_FIRST_S", 1.0)
    shop.down(unavailable=1.0)
    await shop.accept(*[order_event(n) for n in range(40)])
    state = "select state from connection_health"

    async with shop.stage.engine():
        await shop.stage.until(shop.retailer, state, "open")
        tries_until_open = shop.target.book.request_count
        second_pause = "select state = 'open' and probe_s > 1 from connection_health"
        await shop.stage.until(shop.retailer, second_pause, True)
        tries_while_open = shop.target.book.request_count - tries_until_open
        shop.down()
        await shop.stage.until(shop.retailer, state, "closed")
        await shop.stage.rests(shop.retailer)

    # Each lane had been taken once when the breaker opened; afterwards only the probe went out.
    assert tries_until_open + tries_while_open <= 40 + 2
    assert set(shop.target.book.effects.values()) == {1}
    assert (await shop.fates(), await shop.unaccounted()) == ({"delivered": 40}, 0)


async def test_another_target_of_the_retailer_goes_on_while_one_is_dead(
    shop: Wholesaler,
) -> None:
    await shop.stage.connect(shop.retailer, "dead", "http", base_url="http://127.0.0.1:9")
    await shop.stage.give_secret(shop.retailer, "dead", ["signing_secret"])
    await shop.stage.flow(shop.retailer, "source", "dead")
    await shop.accept(*[order_event(n) for n in range(30)])

    async with shop.stage.engine(retry_scale=1.0):
        delivered = "select count(*) from delivery where state = 'delivered'"
        await shop.stage.until(shop.retailer, delivered, 30)

    assert len(shop.told()) == 30
    assert (await shop.stage.ledger(shop.retailer)).total.in_flight == 30
    assert await shop.unaccounted() == 0


async def test_a_test_order_reaches_nobody_and_is_booked_as_skipped(shop: Wholesaler) -> None:
    await shop.accept(order_event(1, is_test=True), order_event(2))
    await shop.work()

    assert shop.told() == ["order:o-2 o-2-1"]
    assert (await shop.messages())[0][:2] == ("settled", "skipped")
    assert (await shop.fates(), await shop.unaccounted()) == ({"skipped": 1, "delivered": 1}, 0)


async def test_an_event_of_unknown_type_is_held_and_named(shop: Wholesaler) -> None:
    await shop.accept({**order_event(1), "type": "retail.moon.landed.v1"}, order_event(2))
    await shop.work()

    (hold,) = await shop.holds()
    assert hold["code"] == "event.type_unknown"
    assert "retail.moon.landed.v1" in hold["words"]
    assert shop.told() == ["order:o-2 o-2-1"]
    assert await shop.unaccounted() == 0


async def test_deliveries_of_a_flow_switched_off_are_held_and_arrive_when_it_is_on_again(
    shop: Wholesaler,
) -> None:
    shop.down(unavailable=1.0)
    await shop.accept(order_event(1))
    async with shop.stage.engine(retry_scale=20.0):
        waiting = "select count(*) from delivery where state = 'waiting'"
        await shop.stage.until(shop.retailer, waiting, 1)
        await _switch(shop, is_on=False)
        await shop.stage.rests(shop.retailer)
    (hold,) = await shop.holds()

    shop.down()
    await _switch(shop, is_on=True)
    await release_hold(
        shop.retailer.scope, shop.stage.database, hold["id"], "on again", lambda: None
    )
    await shop.work()

    assert hold["code"] == "flow.disabled"
    assert shop.told() == ["order:o-1 o-1-1"]
    assert (await shop.fates(), await shop.unaccounted()) == ({"delivered": 1}, 0)


async def test_bi120_an_event_for_a_flow_switched_off_is_stored_and_held(
    shop: Wholesaler,
) -> None:
    await _switch(shop, is_on=False)

    await shop.accept(order_event(1))
    await shop.work()

    assert [hold["code"] for hold in await shop.holds()] == ["flow.disabled"]
    assert shop.told() == []
    assert (await shop.fates(), await shop.unaccounted()) == ({}, 0)


async def test_an_order_told_twice_on_different_ways_is_delivered_once(shop: Wholesaler) -> None:
    first = order_event(1)

    await shop.accept({**first, "objectversion": "7"})
    await shop.accept({**first, "id": "found-by-asking", "objectversion": "7"})
    await shop.work()

    assert len(shop.told()) == 1
    assert await shop.messages() == [
        ("settled", "routed", ""),
        ("settled", "merged", "merged.same_fact"),
    ]
    assert (await shop.fates(), await shop.unaccounted()) == ({"delivered": 1, "merged": 1}, 0)


async def test_an_order_told_again_with_other_content_is_held(shop: Wholesaler) -> None:
    first = order_event(1)

    await shop.accept({**first, "objectversion": "7"})
    other = order_event(1, total="21.00")
    await shop.accept({**other, "id": "another", "objectversion": "7"})
    await shop.work()

    (hold,) = await shop.holds()
    assert (hold["code"], len(shop.told())) == ("record.content_changed", 1)
    await release_hold(
        shop.retailer.scope, shop.stage.database, hold["id"], "the newer one", lambda: None
    )
    await shop.work()
    assert [event["data"]["total"] for event in shop.target.events()] == ["20.00", "21.00"]
    assert (await shop.fates(), await shop.unaccounted()) == ({"delivered": 2}, 0)


async def test_a_fault_in_the_connector_while_sending_holds_its_record_alone(
    shop: Wholesaler, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = push

    async def faulty(dispatch: Dispatch, transport: Transport) -> Outcome:
        if dispatch.event.object_id == "o-3":
            raise ZeroDivisionError("a planted fault")
        return await plain(dispatch, transport)

    monkeypatch.setattr(http_connector, "push", faulty)
    await shop.accept(*[order_event(n) for n in range(1, 8)])
    await shop.work()

    (hold,) = await shop.holds()
    assert (hold["code"], hold["label"]) == ("connector.fault", "Order #3")
    assert "planted" not in hold["words"]
    assert await shop.states() == {"delivered": 6, "held": 1}
    assert await shop.unaccounted() == 0


async def test_a_fault_in_the_connector_while_reading_holds_its_record_alone(
    shop: Wholesaler, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = read_message

    def faulty(message: RawMessage) -> Reading:
        if b"o-3" in message.body:
            raise RecursionError("a planted fault")
        return plain(message)

    monkeypatch.setattr(http_connector, "read_message", faulty)
    await shop.accept(*[order_event(n) for n in range(1, 8)])
    await shop.work()

    (hold,) = await shop.holds()
    assert (hold["code"], hold["delivery_id"]) == ("connector.fault", None)
    assert await shop.states() == {"delivered": 6}
    assert (await shop.fates(), await shop.unaccounted()) == ({"delivered": 6}, 0)


async def test_two_engines_at_once_keep_the_order_of_200_events_of_one_key(
    shop: Wholesaler,
) -> None:
    shop.target.seed, shop.target.faults = 5, type(shop.target.faults)(errors=0.1, lost=0.02)
    await shop.accept(*[order_event(1, version=f"{v:03}") for v in range(200)])

    async with shop.stage.engine(retry_scale=500.0), shop.stage.engine(retry_scale=500.0):
        await shop.stage.rests(shop.retailer, at_most_s=60)

    assert shop.told() == [f"order:o-1 o-1-{v:03}" for v in range(200)]
    assert set(shop.target.book.effects.values()) == {1}
    assert (await shop.fates(), await shop.unaccounted()) == ({"delivered": 200}, 0)


async def _switch(shop: Wholesaler, *, is_on: bool) -> None:
    await shop.stage.rows(shop.retailer, "update flow set is_enabled = $1 returning id", is_on)
    shop.stage.routes.forget(shop.retailer.tenant_id)
