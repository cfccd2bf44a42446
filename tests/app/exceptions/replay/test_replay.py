"""A replay promises, does what it promised and no more, and says afterwards whether it did."""

from __future__ import annotations

from typing import Any

from connectors.catalog.http.emulator import Faults
from infra.database.unit import begin
from tenants.audit import verify_chain
from tests.app.exceptions.conftest import broken_order
from tests.app.exceptions.replay.conftest import Replays
from tests.stage import order_event

WINDOW: dict[str, Any] = {
    "since": "2020-01-01T00:00:00Z",
    "states": ("held", "waiting", "discarded", "superseded", "delivered"),
}


def effects(replays: Replays) -> dict[str, int]:
    return dict(replays.shop.target.book.effects)


async def replay_lines(replays: Replays) -> list[str]:
    lines = await replays.shop.audited()
    return [subject for action, subject in lines if action == "replays.replay_record"]


async def test_held_records_are_created_and_the_receipt_says_so(replays: Replays) -> None:
    replays.shop.target.refused.update({"o-1", "o-2"})
    await replays.shop.sell(order_event(1), order_event(2), order_event(3))
    replays.shop.target.refused.clear()

    preview = await replays.preview(code="target.refused")
    assert preview.state == "previewed", preview.words
    assert preview.preview == {
        "by": {"create": {"records": 2, "amounts": {"USD": "40.00"}}},
        "effects": {"books an order": 2},
    }
    assert len(replays.shop.target.taken) == 1

    await replays.start(preview.id)
    done = await replays.done(preview.id)

    assert done.state == "done"
    assert done.receipt == {
        "by": {"create": {"records": 2, "amounts": {"USD": "40.00"}}},
        "equal": 2,
        "of": 2,
    }
    assert await replays.shop.holds() == []
    assert await replays.shop.states("delivery") == {"delivered": 3}
    assert len(await replay_lines(replays)) == len(set(await replay_lines(replays))) == 2
    assert (await replays.shop.stage.ledger(replays.shop.retailer)).unaccounted == 0


async def test_a_delivered_record_is_told_again_under_its_key_and_has_no_second_effect(
    replays: Replays,
) -> None:
    await replays.shop.sell(order_event(1))
    before = effects(replays)

    done = await replays.replayed(deliveries=tuple(await replays.deliveries("delivered")))

    assert done.preview["by"] == {"no_op": {"records": 1, "amounts": {"USD": "20.00"}}}
    assert (done.receipt["equal"], done.receipt["of"]) == (1, 1)
    assert effects(replays) == before
    assert replays.shop.target.book.request_count == 2
    (item,) = await replays.items(done.id)
    assert item.happened == "no_op"
    assert "as before" in item.happened_words
    rows = await replays.shop.stage.rows(
        replays.shop.retailer,
        "select replay_no, replay_of, replay_id, effect_key, state from delivery order by replay_no",
    )
    assert [row["replay_no"] for row in rows] == [0, 1]
    assert rows[1]["replay_id"] == done.id
    assert rows[0]["effect_key"] == rows[1]["effect_key"]
    assert (await replays.shop.stage.ledger(replays.shop.retailer)).unaccounted == 0


async def test_an_older_state_is_recorded_as_superseded_and_never_sent(replays: Replays) -> None:
    await replays.shop.sell(order_event(1), order_event(1, version="2"))
    (oldest, _) = await replays.deliveries("delivered")

    done = await replays.replayed(deliveries=(oldest,))

    assert done.preview["by"] == {"stale": {"records": 1, "amounts": {"USD": "20.00"}}}
    assert done.receipt == {
        "by": {"stale": {"records": 1, "amounts": {"USD": "20.00"}}},
        "equal": 1,
        "of": 1,
    }
    assert replays.shop.target.book.request_count == 2
    assert await replays.shop.states("delivery") == {"delivered": 2, "superseded": 1}
    assert await replays.shop.states("message") == {"settled": 2}
    assert (await replays.shop.stage.ledger(replays.shop.retailer)).unaccounted == 0


async def test_a_newer_state_that_comes_after_the_preview_is_not_overwritten(
    replays: Replays,
) -> None:
    await replays.shop.sell(order_event(1))
    preview = await replays.preview(deliveries=tuple(await replays.deliveries("delivered")))

    await replays.shop.sell(order_event(1, version="2"))
    await replays.start(preview.id)
    done = await replays.done(preview.id)

    assert preview.preview["by"]["no_op"]["records"] == 1
    assert done.receipt == {
        "by": {"stale": {"records": 1, "amounts": {"USD": "20.00"}}},
        "equal": 0,
        "of": 1,
    }
    assert replays.shop.target.book.request_count == 2


async def test_a_message_that_could_not_be_read_is_read_anew_as_the_dry_run_promised(
    replays: Replays,
) -> None:
    await replays.shop.sell(broken_order(1))
    hold = await replays.shop.one_hold()

    still_broken = await replays.preview(holds=(hold.id,))
    (item,) = await replays.items(still_broken.id)
    assert item.promised == "conflict"
    assert item.promised_words.startswith("It would be held again:")
    assert still_broken.chosen == 0


async def test_a_mended_message_becomes_the_promised_deliveries(replays: Replays) -> None:
    stage, retailer = replays.shop.stage, replays.shop.retailer
    event = order_event(1)
    event["type"] = "orders/create"
    await replays.shop.sell(event)
    await stage.write(
        retailer,
        "update connection set settings = $2 where id = $1",
        retailer.connections["source"],
        '{"event_types": {"orders/create": "retail.order.placed.v1"}}',
    )
    stage.connections.forget(retailer.tenant_id, retailer.connections["source"])

    done = await replays.replayed(code="event.type_unknown")

    assert done.preview["by"] == {"create": {"records": 1, "amounts": {"USD": "20.00"}}}
    assert (done.receipt["equal"], done.receipt["of"]) == (1, 1)
    assert [order["order_id"] for order in replays.shop.target.taken] == ["o-1"]
    assert len(await replay_lines(replays)) == 1
    assert (await stage.ledger(retailer)).unaccounted == 0


async def test_what_waits_is_tried_at_once(replays: Replays) -> None:
    replays.shop.target.faults = Faults(unavailable=1.0)
    await replays.shop.stage.accept(replays.shop.retailer, "source", order_event(1))
    async with replays.shop.stage.engine(retry_scale=1.0):
        await replays.shop.stage.until(
            replays.shop.retailer, "select count(*) from delivery where state = 'waiting'", 1
        )
    replays.shop.target.faults = Faults()

    done = await replays.replayed(since="2020-01-01T00:00:00Z", states=("waiting",))

    assert done.preview["by"]["create"]["records"] == 1
    assert (done.receipt["equal"], done.receipt["of"]) == (1, 1)
    assert await replays.shop.states("delivery") == {"delivered": 1}


async def test_every_record_has_one_line_in_an_unbroken_audit_chain(replays: Replays) -> None:
    await replays.shop.sell(*(order_event(number) for number in range(1, 31)))

    done = await replays.replayed(**WINDOW)

    assert done.receipt["of"] == 30
    lines = await replay_lines(replays)
    assert len(lines) == len(set(lines)) == 30
    report = await verify_chain(replays.person("ada"), replays.shop.stage.database)
    assert report.ok
    async with begin(replays.person("ada"), replays.shop.stage.database) as session:
        actors = await session.fetch(
            "select distinct actor from audit where action = 'replays.replay_record'"
        )
    assert [row["actor"] for row in actors] == ["person:ada"]
