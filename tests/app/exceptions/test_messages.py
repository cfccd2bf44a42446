"""A message cannot be read: a person releases, corrects or discards it."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from app.exceptions.claim import AlreadyDecided
from app.exceptions.content import Edit, WrongContent
from app.exceptions.discard import discard_hold
from app.exceptions.edit import EditParts, edit_hold
from app.exceptions.hold import HoldFilter, list_holds
from app.exceptions.release import release_hold
from tests.app.exceptions.conftest import Shop, broken_order
from tests.stage import order_event


def quiet() -> None:
    """Wake nobody: the tests let the engine run when they want."""


def parts(shop: Shop) -> EditParts:
    return EditParts(shop.stage.database, shop.stage.vault, quiet)


async def test_an_order_that_does_not_add_up_is_held_with_the_money_at_stake(shop: Shop) -> None:
    await shop.sell(broken_order(1), order_event(2))

    hold = await shop.one_hold()
    assert (hold.code, hold.delivery_id) == ("order.totals_differ", None)
    assert (str(hold.amount), hold.currency) == ("25.000000", "USD")
    assert await shop.states("message") == {"held": 1, "settled": 1}


async def test_a_released_message_is_read_again_and_held_anew_while_its_fault_is_there(
    shop: Shop,
) -> None:
    await shop.sell(broken_order(1))
    first = await shop.one_hold()

    await release_hold(shop.retailer.scope, shop.stage.database, first.id, "", quiet)
    await shop.work()

    second = await shop.one_hold()
    assert second.id != first.id
    assert (second.code, second.message_id) == (first.code, first.message_id)
    (message,) = await shop.stage.rows(shop.retailer, "select state, revision from message")
    assert message == {"state": "held", "revision": 1}
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0


async def test_an_edited_message_is_delivered_and_its_first_body_stays(shop: Shop) -> None:
    broken = broken_order(1)
    await shop.sell(broken)
    hold = await shop.one_hold()
    body = msgspec.json.encode({**broken, "data": {**broken["data"], "total": "20.00"}})

    edited = await edit_hold(
        shop.retailer.scope, parts(shop), hold.id, Edit("Typing error.", body=body)
    )
    await shop.work()

    assert [(c.pointer, c.before, c.after) for c in edited.changes] == [
        ("/data/total", '"25.00"', '"20.00"')
    ]
    assert [order["total"] for order in shop.target.taken] == ["20.00"]
    bodies = await shop.stage.rows(
        shop.retailer, "select revision, body_sha256, edited_by from message_body order by revision"
    )
    assert bodies == [
        {
            "revision": 0,
            "body_sha256": hashlib.sha256(msgspec.json.encode(broken)).digest(),
            "edited_by": "",
        },
        {"revision": 1, "body_sha256": hashlib.sha256(body).digest(), "edited_by": "test"},
    ]
    ledger = await shop.stage.ledger(shop.retailer)
    assert ledger.total.fates == {"delivered": 1}
    assert ledger.unaccounted == 0


async def test_a_discarded_message_has_its_fate_in_the_books(shop: Shop) -> None:
    await shop.sell(broken_order(1))
    hold = await shop.one_hold()

    decided = await discard_hold(
        shop.retailer.scope, shop.stage.database, hold.id, "A test order.", quiet
    )

    assert (decided.state, decided.reason) == ("discarded", "A test order.")
    (message,) = await shop.stage.rows(shop.retailer, "select state, fate from message")
    assert message == {"state": "discarded", "fate": "discarded"}
    ledger = await shop.stage.ledger(shop.retailer)
    assert ledger.total.fates == {"discarded": 1}
    assert ledger.unaccounted == 0
    with pytest.raises(AlreadyDecided):
        await release_hold(shop.retailer.scope, shop.stage.database, hold.id, "", quiet)


async def test_the_same_order_with_other_content_counts_once_it_is_released(shop: Shop) -> None:
    await shop.sell({**order_event(1), "objectversion": "1"})
    changed = {**order_event(1, total="21.00"), "objectversion": "1", "id": "again"}
    await shop.sell(changed)
    hold = await shop.one_hold()

    await release_hold(shop.retailer.scope, shop.stage.database, hold.id, "It is right.", quiet)
    await shop.work()

    assert hold.code == "record.content_changed"
    assert [order["total"] for order in shop.target.taken] == ["20.00", "21.00"]
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0


async def test_a_message_takes_no_event(shop: Shop) -> None:
    await shop.sell(broken_order(1))
    hold = await shop.one_hold()

    with pytest.raises(WrongContent):
        await edit_hold(shop.retailer.scope, parts(shop), hold.id, Edit("Try.", event={}))

    assert (await shop.one_hold()).state == "open"


async def test_decided_holds_are_listed_when_asked_for(shop: Shop) -> None:
    await shop.sell(broken_order(1), broken_order(2))
    newest, oldest = await shop.holds()
    await discard_hold(shop.retailer.scope, shop.stage.database, oldest.id, "Test.", quiet)

    async def listed(wanted: HoldFilter) -> list[object]:
        holds = await list_holds(shop.retailer.scope, shop.stage.database, wanted, 50)
        return [hold.id for hold in holds]

    assert await listed(HoldFilter()) == [newest.id]
    assert await listed(HoldFilter(state="discarded")) == [oldest.id]
    assert await listed(HoldFilter(state=None)) == [newest.id, oldest.id]
    assert await listed(HoldFilter(state=None, before=newest.id)) == [oldest.id]
    assert await listed(HoldFilter(code="other.code")) == []
