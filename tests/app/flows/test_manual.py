"""Overrides by hand: set, skip and keep back, for a while, with a reason, and seen in the books."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.flows.manual import end_manual, list_manual
from infra import clock
from infra.database.unit import begin
from infra.errors import Conflict, NotFound, Unprocessable
from infra.ids import new_id
from tests.app.flows.conftest import MappedShop
from tests.stage import order_event


def until(**ahead: float) -> Any:
    return clock.now() + timedelta(**(ahead or {"hours": 1}))


async def test_a_value_set_for_one_object_is_sent_for_this_one_only(shop: MappedShop) -> None:
    made = await shop.except_for(
        kind="set",
        object_id="o-1",
        path="body.store",
        value="7",
        reason="Moved by hand today.",
        expires_at=until(),
    )

    await shop.sell(order_event(1), order_event(2))

    stores = {order["order_id"]: order.get("store") for order in shop.target.taken}
    assert stores == {"o-1": "7", "o-2": None}
    rows = await shop.stage.rows(shop.retailer, "select id, used from manual_override")
    assert rows == [{"id": made.id, "used": 1}]
    assert ("overrides.add_override", f"override:{made.id}") in await shop.audited()


async def test_what_is_skipped_reaches_nobody_and_the_books_say_why(shop: MappedShop) -> None:
    await shop.except_for(
        kind="skip", object_id="o-1", reason="Booked by phone.", expires_at=until()
    )

    await shop.sell(order_event(1), order_event(1, version="2"), order_event(2))

    assert [order["order_id"] for order in shop.target.taken] == ["o-2"]
    rows = await shop.stage.rows(
        shop.retailer, "select state, code, words from delivery where state <> 'delivered'"
    )
    assert [(row["state"], row["code"]) for row in rows] == [("cancelled", "override.skipped")] * 2
    assert "Booked by phone." in rows[0]["words"]
    assert await shop.states("message") == {"settled": 3}
    ledger = await shop.stage.ledger(shop.retailer)
    assert (ledger.total.fates, ledger.unaccounted) == ({"delivered": 1, "cancelled": 2}, 0)
    assert await shop.stage.rows(shop.retailer, "select 1 from hold") == []


async def test_what_is_kept_back_goes_on_when_the_exception_ends_early(shop: MappedShop) -> None:
    made = await shop.except_for(kind="pause", reason="Stock-taking.", expires_at=until(days=2))
    await shop.stage.accept(shop.retailer, "source", order_event(1))
    async with shop.stage.engine():
        await shop.stage.until(
            shop.retailer,
            "select count(*) from delivery where state = 'waiting' and code = 'override.paused'",
            1,
        )
        await shop.stage.until(
            shop.retailer,
            "select count(*) from lane where ready_at > now() + interval '50 minutes'",
            1,
        )
        before = len(shop.target.taken)
        async with begin(shop.retailer.scope, shop.stage.database) as session:
            ended = await end_manual(session, made.id, "Done.")
        await shop.stage.settled(shop.retailer)

    assert before == 0
    assert [order["order_id"] for order in shop.target.taken] == ["o-1"]
    assert (ended.ended_by, ended.is_active) == ("test", False)
    (row,) = await shop.stage.rows(shop.retailer, "select attempt_count, state from delivery")
    assert row == {"attempt_count": 1, "state": "delivered"}


async def test_an_exception_ends_by_itself(shop: MappedShop) -> None:
    await shop.except_for(
        kind="pause", reason="A short while.", expires_at=until(milliseconds=1500)
    )

    await shop.stage.accept(shop.retailer, "source", order_event(1))
    async with shop.stage.engine():
        await shop.stage.settled(shop.retailer)

    assert [order["order_id"] for order in shop.target.taken] == ["o-1"]
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        listed = [
            len(
                await list_manual(
                    session, flow_id=None, with_ended=with_ended, before=None, limit=10
                )
            )
            for with_ended in (False, True)
        ]
    assert listed == [0, 1]


async def test_the_words_of_who_keeps_something_back_stand_with_it(shop: MappedShop) -> None:
    await shop.except_for(kind="pause", reason="Stock-taking.", expires_at=until())

    await shop.stage.accept(shop.retailer, "source", order_event(1))
    async with shop.stage.engine():
        await shop.stage.until(
            shop.retailer, "select count(*) from delivery where state = 'waiting'", 1
        )

    (row,) = await shop.stage.rows(shop.retailer, "select words from delivery")
    assert row["words"].startswith("test made an override until ")
    assert "Stock-taking." in row["words"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"expires_at": until(days=-1)}, "/expires_at"),
        ({"expires_at": until(days=91)}, "/expires_at"),
        ({"kind": "set", "path": ""}, "/path"),
        ({"kind": "set", "path": "head.key", "value": "x"}, "/path"),
        ({"kind": "set", "path": "body.nothing", "value": "x"}, "/path"),
        ({"kind": "set", "path": "body.store", "value": 1.5}, "/value"),
        ({"kind": "skip", "path": "body.store"}, "/path"),
    ],
)
async def test_an_exception_that_cannot_be_is_refused(
    shop: MappedShop, changes: dict[str, Any], pointer: str
) -> None:
    wanted = {"kind": "skip", "reason": "A reason.", "expires_at": until(), **changes}

    with pytest.raises(Unprocessable) as refusal:
        await shop.except_for(**wanted)

    assert refusal.value.errors[0].pointer == pointer
    assert await shop.stage.rows(shop.retailer, "select 1 from manual_override") == []


async def test_an_exception_ends_once_and_only_for_its_retailer(shop: MappedShop) -> None:
    made = await shop.except_for(kind="skip", reason="A reason.", expires_at=until())
    other = await shop.stage.retailer()

    for foreign in (made.id, new_id()):
        with pytest.raises(NotFound):
            async with begin(other.scope, shop.stage.database) as session:
                await end_manual(session, foreign, "Mine.")
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        await end_manual(session, made.id, "Done.")
    with pytest.raises(Conflict) as refusal:
        async with begin(shop.retailer.scope, shop.stage.database) as session:
            await end_manual(session, made.id, "Again.")

    assert refusal.value.code == "override.ended"
