"""What cannot be done safely is said and left out."""

from __future__ import annotations

import pytest

from app.exceptions.replay import run
from tests.app.exceptions.replay.conftest import Replays
from tests.stage import order_event


async def one_held(replays: Replays) -> None:
    replays.shop.target.refused.add("o-1")
    await replays.shop.sell(order_event(1))
    replays.shop.target.refused.clear()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "update flow set is_enabled = false",
            "Its flow is switched off. Switch it on, then replay.",
        ),
        ("update flow set is_paused = true", "Its flow is paused. Resume it, then replay."),
        (
            "update connection set state = 'disabled' where name = 'target'",
            "The target connection is switched off. Switch it on, then replay.",
        ),
        (
            "update connection set state = 'paused' where name = 'target'",
            "The target connection is paused. Resume it, then replay.",
        ),
        (
            "update flow set action = 'gone'",
            "The target no longer offers what this flow does. Correct the flow, then replay.",
        ),
        ("delete from data_key", "Its content was erased and cannot be sent any more."),
    ],
)
async def test_a_record_that_cannot_go_is_a_conflict(
    replays: Replays, change: str, words: str
) -> None:
    await one_held(replays)
    await replays.shop.stage.write(replays.shop.retailer, change)

    preview = await replays.preview(code="target.refused")

    (item,) = await replays.items(preview.id)
    assert (item.promised, item.promised_words) == ("conflict", words)


async def test_a_record_behind_a_held_one_that_is_not_chosen_is_a_conflict(
    replays: Replays,
) -> None:
    await replays.shop.sell(order_event(1))
    (delivered,) = await replays.deliveries("delivered")
    replays.shop.target.refused.add("o-1")
    # Another object in the same lane, so that nothing is overtaken.
    shipment = order_event(1, version="2")
    shipment["type"] = "retail.order.fulfilled.v1"
    shipment["data"] = {
        "fulfilment_id": "f-1",
        "order_id": "o-1",
        "status": "shipped",
        "shipped_at": "2026-11-20T10:00:00+00:00",
        "lines": [],
    }
    await replays.shop.stage.flow(
        replays.shop.retailer, "source", "target", types=["retail.order.fulfilled.v1"]
    )
    await replays.shop.sell(shipment)
    (hold,) = await replays.shop.holds()
    assert hold.delivery_id is not None, hold.words

    alone = await replays.preview(deliveries=(delivered,))
    together = await replays.preview(deliveries=(delivered, hold.delivery_id))

    (item,) = await replays.items(alone.id)
    assert item.promised == "conflict"
    assert item.promised_words.startswith("An earlier record of the same key is held")
    assert [each.promised for each in await replays.items(together.id)] == ["no_op", "create"]


async def test_a_record_in_another_running_replay_is_a_conflict(replays: Replays) -> None:
    await one_held(replays)
    held = await replays.deliveries("held")
    first = await replays.preview(code="target.refused")
    second = await replays.preview(code="target.refused")
    await replays.start(first.id)

    third = await replays.preview(deliveries=tuple(held))
    await replays.start(second.id)
    done = [await replays.done(each.id) for each in (first, second)]

    assert list(third.preview["by"]) == ["conflict"]
    assert done[0].receipt["by"]["create"]["records"] == 1
    # The one that came second found the work done.
    assert "create" not in done[1].receipt["by"]
    assert len(replays.shop.target.book.effects) == 1


async def test_a_record_that_a_person_gave_up_after_the_preview_is_left_alone(
    replays: Replays,
) -> None:
    await one_held(replays)
    preview = await replays.preview(code="target.refused")
    await replays.shop.stage.write(
        replays.shop.retailer,
        "update delivery set state = 'discarded', settled_at = now() where state = 'held'",
    )
    await replays.shop.stage.write(
        replays.shop.retailer, "update lane set open_count = 0, blocked_by = null"
    )
    await replays.shop.stage.write(
        replays.shop.retailer, "update message set open_routes = 0, state = 'settled'"
    )
    await replays.shop.stage.write(
        replays.shop.retailer, "update hold set state = 'discarded', decided_at = now()"
    )
    await replays.start(preview.id)

    done = await replays.done(preview.id)

    assert list(done.receipt["by"]) == ["left_out"]
    (item,) = await replays.items(preview.id)
    assert item.happened_words == "A person gave it up after the preview, so nothing was done."
    assert replays.shop.target.taken == []


async def test_a_chunk_that_dies_has_done_nothing_and_the_next_goes_on(
    replays: Replays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "AT_A_TIME", 2)
    events = [order_event(number) for number in range(1, 6)]
    replays.shop.target.refused.update(event["data"]["order_id"] for event in events)
    await replays.shop.sell(*events)
    replays.shop.target.refused.clear()
    preview = await replays.preview(code="target.refused")
    await replays.start(preview.id)
    database, tenant_id = replays.shop.stage.database, replays.shop.retailer.tenant_id
    await run.run_chunk(tenant_id, preview.id, database)

    async def dies(*_: object) -> int:
        raise ConnectionResetError

    with monkeypatch.context() as killed:
        killed.setattr(run, "record_many", dies)
        with pytest.raises(Exception, match="cannot be reached"):
            await run.run_chunk(tenant_id, preview.id, database)
    assert await replays.shop.states("delivery") == {"ready": 2, "held": 3}
    done = await replays.done(preview.id)

    assert (done.receipt["equal"], done.receipt["of"]) == (5, 5)
    assert sorted(replays.shop.target.book.effects.values()) == [1] * 5
    lines = [s for a, s in await replays.shop.audited() if a == "replays.replay_record"]
    assert len(lines) == len(set(lines)) == 5
