"""A target refuses a record: a person releases, corrects or discards it; what waits behind goes on."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from app.exceptions.claim import AlreadyDecided
from app.exceptions.content import Edit, WrongContent
from app.exceptions.discard import discard_hold
from app.exceptions.edit import EditParts, edit_hold
from app.exceptions.edit_event import EffectUnknown
from app.exceptions.hold import Hold, read_hold
from app.exceptions.release import release_hold
from connectors.catalog.http.emulator import Faults
from infra.database.unit import begin
from infra.errors import NotFound, Unprocessable
from infra.ids import new_id
from tests.app.exceptions.conftest import Shop
from tests.stage import order_event


def quiet() -> None:
    """Wake nobody: the tests let the engine run when they want."""


async def refused_order(shop: Shop, *more: dict[str, Any]) -> Hold:
    shop.target.refused.add("o-1")
    await shop.sell(order_event(1), *more)
    return await shop.one_hold()


async def content_of(shop: Shop, hold: Hold) -> dict[str, Any]:
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        row = await session.fetch_one(
            "select e.id, e.sealed, e.period from event e join delivery d on d.event_id = e.id"
            " where d.id = $1",
            hold.delivery_id,
        )
        assert row is not None
        key = await shop.stage.vault.of(shop.retailer.tenant_id, row["period"], session)
    found: dict[str, Any] = json.loads(key.open(f"event|{row['id']}", row["sealed"]))
    return found


def parts(shop: Shop) -> EditParts:
    return EditParts(shop.stage.database, shop.stage.vault, quiet)


async def test_a_refused_order_is_held_and_blocks_only_its_own_lane(shop: Shop) -> None:
    hold = await refused_order(shop, order_event(1, version="2"), order_event(2))

    assert (hold.code, hold.label, hold.state) == ("target.refused", "Order #1", "open")
    assert (str(hold.amount), hold.currency) == ("20.000000", "USD")
    assert [order["order_id"] for order in shop.target.taken] == ["o-2"]
    assert await shop.states("delivery") == {"held": 1, "ready": 1, "delivered": 1}


async def test_a_released_delivery_is_sent_under_its_old_key_and_its_lane_goes_on(
    shop: Shop,
) -> None:
    hold = await refused_order(shop, order_event(1, version="2"))
    (before,) = await shop.stage.rows(
        shop.retailer, "select effect_key from delivery where id = $1", hold.delivery_id
    )

    shop.target.refused.clear()
    decided = await release_hold(
        shop.retailer.scope, shop.stage.database, hold.id, "Customer made.", quiet
    )
    await shop.work()

    assert (decided.state, decided.reason, decided.decided_by) == (
        "released", "Customer made.", "test",
    )  # fmt: skip
    assert len(shop.target.taken) == 2
    assert shop.target.taken[0]["idempotency_key"] == before["effect_key"]
    assert await shop.states("delivery") == {"delivered": 2}
    assert await shop.states("message") == {"settled": 2}
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0
    assert ("exceptions.release_hold", f"hold:{hold.id}") in await shop.audited()


async def test_an_edited_delivery_is_sent_with_its_new_content_under_a_new_key(shop: Shop) -> None:
    hold = await refused_order(shop)
    (before,) = await shop.stage.rows(shop.retailer, "select effect_key from delivery")
    content = await content_of(shop, hold)
    content["body"]["store"] = "9"

    edited = await edit_hold(
        shop.retailer.scope, parts(shop), hold.id, Edit("Store was missing.", event=content)
    )
    await shop.work()

    assert edited.hold.state == "edited"
    assert [(c.pointer, c.before, c.after) for c in edited.changes] == [
        ("/body/store", None, '"9"')
    ]
    assert [order["store"] for order in shop.target.taken] == ["9"]
    assert shop.target.taken[0]["idempotency_key"] != before["effect_key"]
    events = await shop.stage.rows(shop.retailer, "select revision from event order by revision")
    assert [event["revision"] for event in events] == [0, 1]
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0
    assert ("exceptions.edit_hold", f"hold:{hold.id}") in await shop.audited()


async def test_a_discarded_delivery_reaches_nobody_and_what_waits_behind_it_goes_on(
    shop: Shop,
) -> None:
    hold = await refused_order(shop, order_event(1, version="2", store="9"))

    decided = await discard_hold(
        shop.retailer.scope, shop.stage.database, hold.id, "Entered by hand.", quiet
    )
    await shop.work()

    assert decided.state == "discarded"
    assert await shop.states("delivery") == {"discarded": 1, "delivered": 1}
    assert await shop.states("message") == {"settled": 2}
    assert [order["store"] for order in shop.target.taken] == ["9"]
    ledger = await shop.stage.ledger(shop.retailer)
    assert ledger.total.fates == {"delivered": 1, "discarded": 1}
    assert ledger.unaccounted == 0


async def test_discarding_the_last_of_a_lane_leaves_it_at_rest(shop: Shop) -> None:
    hold = await refused_order(shop)

    await discard_hold(shop.retailer.scope, shop.stage.database, hold.id, "Not ours.", quiet)

    lanes = await shop.stage.rows(
        shop.retailer, "select open_count, ready_at, blocked_by, holder from lane"
    )
    assert lanes == [{"open_count": 0, "ready_at": None, "blocked_by": None, "holder": None}]


async def test_of_two_people_at_once_one_decides_and_the_other_is_told(shop: Shop) -> None:
    hold = await refused_order(shop)
    scope, database = shop.retailer.scope, shop.stage.database

    answers = await asyncio.gather(
        release_hold(scope, database, hold.id, "", quiet),
        discard_hold(scope, database, hold.id, "Not ours.", quiet),
        release_hold(scope, database, hold.id, "", quiet),
        return_exceptions=True,
    )

    won = [answer for answer in answers if isinstance(answer, Hold)]
    assert len(won) == 1
    assert sum(isinstance(answer, AlreadyDecided) for answer in answers) == 2
    assert (await read_hold(scope, database, hold.id)).state == won[0].state
    decisions = [action for action, _ in await shop.audited() if action.startswith("exceptions.")]
    assert len(decisions) == 1


async def test_another_event_cannot_be_put_in_the_place_of_one(shop: Shop) -> None:
    hold = await refused_order(shop)
    content = await content_of(shop, hold)
    content["head"]["key"] = "order:o-2"

    with pytest.raises(Unprocessable) as refused:
        await edit_hold(shop.retailer.scope, parts(shop), hold.id, Edit("Try.", event=content))

    assert refused.value.code == "event.identity_changed"
    assert (await shop.one_hold()).id == hold.id
    assert await shop.states("delivery") == {"held": 1}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("total", "much", "event.contract"),
        ("total", "NaN", "event.amount"),
        ("total", "1e30", "event.amount"),
        ("placed_at", "yesterday", "event.contract"),
        ("lines", "none", "event.contract"),
    ],
)
async def test_an_edit_against_the_contract_changes_nothing(
    shop: Shop, field: str, value: str, code: str
) -> None:
    hold = await refused_order(shop)
    content = await content_of(shop, hold)
    content["body"][field] = value

    with pytest.raises(Unprocessable) as refused:
        await edit_hold(shop.retailer.scope, parts(shop), hold.id, Edit("Try.", event=content))

    assert refused.value.code == code
    assert value not in refused.value.detail
    assert (await shop.one_hold()).state == "open"
    events = await shop.stage.rows(shop.retailer, "select revision from event")
    assert [event["revision"] for event in events] == [0]


async def test_a_delivery_takes_no_raw_body(shop: Shop) -> None:
    hold = await refused_order(shop)

    with pytest.raises(WrongContent):
        await edit_hold(shop.retailer.scope, parts(shop), hold.id, Edit("Try.", body=b"{}"))

    assert (await shop.one_hold()).state == "open"


async def test_what_may_have_had_its_effect_is_not_edited(shop: Shop) -> None:
    shop.target.faults = Faults(lost=1.0)
    # The schedule of 12 tries: it ends before the breaker has seen enough to open.
    await shop.stage.write(shop.retailer, "update flow set class = 2")
    await shop.stage.accept(shop.retailer, "source", order_event(1))
    async with shop.stage.engine(retry_scale=1_000_000.0):
        await shop.stage.settled(shop.retailer, at_most_s=60)
    hold = await shop.one_hold()
    content = await content_of(shop, hold)

    with pytest.raises(EffectUnknown):
        await edit_hold(shop.retailer.scope, parts(shop), hold.id, Edit("Try.", event=content))

    assert (hold.code, (await shop.one_hold()).state) == ("retries.exhausted", "open")


async def test_a_hold_of_another_retailer_is_missing(shop: Shop) -> None:
    hold = await refused_order(shop)
    other = await shop.stage.retailer()

    for hold_id in (hold.id, new_id()):
        with pytest.raises(NotFound):
            await release_hold(other.scope, shop.stage.database, hold_id, "", quiet)

    assert (await shop.one_hold()).state == "open"
