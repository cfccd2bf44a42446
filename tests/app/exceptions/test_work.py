"""Work on records: found by what matters, given to somebody, spoken about, and many at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.exceptions.claim import AlreadyDecided
from app.exceptions.content import Edit
from app.exceptions.discard import discard_hold
from app.exceptions.edit import EditParts, preview_edit
from app.exceptions.hold import Hold, HoldFilter, list_holds, read_hold
from app.exceptions.work.assign import Assignment, Tagging, assign_hold, tag_hold
from app.exceptions.work.bulk import Decide, run_bulk
from app.exceptions.work.remarks import list_remarks, remark_on_hold
from app.exceptions.work.selection import Selection, preview_bulk
from infra import clock
from infra.errors import NotFound, Unprocessable
from infra.ids import new_id
from tenants.audit import verify_chain
from tests.app.exceptions.conftest import Shop, broken_order
from tests.app.exceptions.test_deliveries import content_of, quiet
from tests.stage import order_event

ORDERS = (("10.00", 1), ("30.00", 2), ("20.00", 3))


async def three_held(shop: Shop) -> list[Hold]:
    """Three orders of 10, 30 and 20 dollars are refused; oldest first."""
    for total, number in ORDERS:
        shop.target.refused.add(f"o-{number}")
        await shop.sell(order_event(number, total=total))
    return list(reversed(await shop.holds()))


async def labels(shop: Shop, limit: int = 50, **wanted: Any) -> list[str]:
    holds = await list_holds(shop.retailer.scope, shop.stage.database, HoldFilter(**wanted), limit)
    return [hold.label for hold in holds]


async def test_records_are_listed_by_time_money_and_deadline_and_paged_without_gaps(
    shop: Shop,
) -> None:
    holds = await three_held(shop)
    soon = clock.now() + timedelta(hours=1)
    await shop.stage.write(
        shop.retailer, "update hold set deadline_at = $1 where id = $2", soon, holds[1].id
    )
    orders = {
        "newest": ["Order #3", "Order #2", "Order #1"],
        "age": ["Order #1", "Order #2", "Order #3"],
        "money": ["Order #2", "Order #3", "Order #1"],
        "deadline": ["Order #2", "Order #1", "Order #3"],
    }

    for sort, expected in orders.items():
        assert await labels(shop, sort=sort) == expected
        paged: list[str] = []
        before = None
        while True:
            page = await list_holds(
                shop.retailer.scope,
                shop.stage.database,
                HoldFilter(sort=sort, before=before),  # type: ignore[arg-type]
                1,
            )
            if not page:
                break
            paged.append(page[0].label)
            before = page[0].id
        assert paged == expected


async def test_records_are_found_by_what_is_known_of_them(shop: Shop) -> None:
    holds = await three_held(shop)
    await shop.sell(broken_order(4))
    scope, database = shop.retailer.scope, shop.stage.database
    await assign_hold(scope, database, holds[0].id, Assignment("ada"))
    await tag_hold(scope, database, holds[1].id, Tagging(add=("vat", "bank")))
    await shop.stage.write(
        shop.retailer,
        "update hold set created_at = now() - interval '3 hours' where id = $1",
        holds[2].id,
    )
    (flow_id,) = shop.retailer.flows.values()

    assert await labels(shop, code="target.refused", sort="age") == [
        "Order #1", "Order #2", "Order #3",
    ]  # fmt: skip
    assert await labels(shop, owner="ada") == ["Order #1"]
    assert len(await labels(shop, owner="")) == 3
    assert await labels(shop, tag="vat") == ["Order #2"]
    assert await labels(shop, min_amount=Decimal(20), sort="age", flow_id=flow_id) == [
        "Order #2", "Order #3",
    ]  # fmt: skip
    assert await labels(shop, created_before=clock.now() - timedelta(hours=2)) == ["Order #3"]
    assert await labels(shop, text="order #2") == ["Order #2"]
    assert await labels(shop, text="%") == []
    assert len(await labels(shop, event_type="retail.order.placed.v1")) == 3
    assert await labels(shop, flow_id=new_id()) == []
    assert await labels(shop, incident_id=new_id()) == []


async def test_a_record_is_given_to_somebody_tagged_and_spoken_about(shop: Shop) -> None:
    hold = (await three_held(shop))[0]
    scope, database = shop.retailer.scope, shop.stage.database
    due_at = clock.now() + timedelta(hours=4)

    await assign_hold(scope, database, hold.id, Assignment("ada", due_at))
    await tag_hold(scope, database, hold.id, Tagging(add=("vat", "bank", "vat")))
    tagged = await tag_hold(scope, database, hold.id, Tagging(remove=("bank",)))
    await remark_on_hold(scope, database, hold.id, "Called the customer.")
    remarks = await remark_on_hold(scope, database, hold.id, "She calls back.")

    assert (tagged.owner, tagged.due_at, tagged.tags) == ("ada", due_at, ("vat",))
    assert [(each.author, each.words) for each in remarks] == [
        ("test", "Called the customer."),
        ("test", "She calls back."),
    ]
    assert await list_remarks(scope, database, hold.id) == remarks
    assert [action for action, subject in await shop.audited() if subject == f"hold:{hold.id}"] == [
        "exceptions.assign_hold",
        "exceptions.tag_hold",
        "exceptions.tag_hold",
        "exceptions.comment_hold",
        "exceptions.comment_hold",
    ]


async def test_work_on_what_is_foreign_missing_or_decided_changes_nothing(shop: Shop) -> None:
    hold = (await three_held(shop))[0]
    other = await shop.stage.retailer()
    database = shop.stage.database

    for scope, hold_id in ((other.scope, hold.id), (shop.retailer.scope, new_id())):
        with pytest.raises(NotFound):
            await assign_hold(scope, database, hold_id, Assignment("eve"))
        with pytest.raises(NotFound):
            await remark_on_hold(scope, database, hold_id, "Mine.")
    with pytest.raises(Unprocessable):
        await tag_hold(shop.retailer.scope, database, hold.id, Tagging(add=("No Tag",)))
    await discard_hold(shop.retailer.scope, database, hold.id, "A test.", quiet)
    with pytest.raises(AlreadyDecided):
        await assign_hold(shop.retailer.scope, database, hold.id, Assignment("eve"))

    after = await read_hold(shop.retailer.scope, database, hold.id)
    assert (after.owner, after.tags) == ("", ())
    assert await shop.stage.rows(shop.retailer, "select 1 from remark") == []


async def test_an_edit_is_tried_before_it_is_made(shop: Shop) -> None:
    hold = (await three_held(shop))[0]
    content = await content_of(shop, hold)
    edit = Edit("Store.", event={**content, "body": {**content["body"], "store": "9"}})
    parts = EditParts(shop.stage.database, shop.stage.vault, quiet)
    before = await shop.audited()

    tried = await preview_edit(shop.retailer.scope, parts, hold.id, edit)
    with pytest.raises(Unprocessable):
        await preview_edit(
            shop.retailer.scope,
            parts,
            hold.id,
            Edit("Try.", event={**content, "body": {**content["body"], "total": "much"}}),
        )

    assert [(c.pointer, c.before, c.after) for c in tried.changes] == [("/body/store", None, '"9"')]
    assert tried.hold.state == "open"
    assert len(await shop.stage.rows(shop.retailer, "select 1 from event where revision > 0")) == 0
    assert await shop.states("delivery") == {"held": 3}
    assert await shop.audited() == before


async def test_a_preview_of_an_act_on_many_says_how_many_how_much_and_who_is_refused(
    shop: Shop,
) -> None:
    holds = await three_held(shop)
    scope, database = shop.retailer.scope, shop.stage.database
    await discard_hold(scope, database, holds[0].id, "A test.", quiet)
    ids = (*(hold.id for hold in holds), new_id())

    by_ids = await preview_bulk(scope, database, Selection(ids=ids), decides=True)
    by_filter = await preview_bulk(
        scope, database, Selection(filter=HoldFilter(min_amount=Decimal(25))), decides=True
    )

    assert (by_ids.would_do, dict(by_ids.money)) == (2, {"USD": Decimal("50.000000")})
    assert by_ids.refused == {"hold.already_decided": 1, "resource.not_found": 1}
    assert (by_filter.would_do, dict(by_filter.money)) == (1, {"USD": Decimal("30.000000")})
    assert await shop.states("hold") == {"discarded": 1, "open": 2}


async def test_many_are_released_and_each_is_audited_besides_the_act(shop: Shop) -> None:
    holds = await three_held(shop)
    scope, database = shop.retailer.scope, shop.stage.database
    await discard_hold(scope, database, holds[0].id, "A test.", quiet)
    shop.target.refused.clear()

    result = await run_bulk(
        scope,
        database,
        Selection(ids=tuple(hold.id for hold in holds)),
        Decide("release", "Customers are there now."),
        quiet,
    )
    await shop.work()

    assert result.done == (holds[1].id, holds[2].id)
    assert result.refused == ((holds[0].id, "hold.already_decided"),)
    assert (result.left, result.resume_after, result.words) == (0, None, "")
    assert {order["order_id"] for order in shop.target.taken} == {"o-2", "o-3"}
    audited = [line for line in await shop.audited() if line[0].startswith("exceptions.release")]
    assert audited == [
        ("exceptions.release_many", f"bulk:{result.bulk_id}"),
        ("exceptions.release_hold", f"hold:{holds[1].id}"),
        ("exceptions.release_hold", f"hold:{holds[2].id}"),
    ]
    assert (await verify_chain(scope, database)).ok
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0


async def test_all_that_a_filter_finds_is_discarded_messages_and_deliveries_alike(
    shop: Shop,
) -> None:
    await three_held(shop)
    await shop.sell(broken_order(4), broken_order(5))

    result = await run_bulk(
        shop.retailer.scope,
        shop.stage.database,
        Selection(filter=HoldFilter()),
        Decide("discard", "The whole day was a test."),
        quiet,
    )

    assert (len(result.done), result.refused) == (5, ())
    assert await shop.states("hold") == {"discarded": 5}
    assert await shop.states("message") == {"settled": 3, "discarded": 2}
    assert (
        await shop.stage.rows(shop.retailer, "select 1 from lane where ready_at is not null") == []
    )
    ledger = await shop.stage.ledger(shop.retailer)
    assert (ledger.total.fates, ledger.unaccounted) == ({"discarded": 5}, 0)


async def test_an_act_goes_on_where_an_earlier_call_ended(shop: Shop) -> None:
    holds = await three_held(shop)
    scope, database = shop.retailer.scope, shop.stage.database

    rest = await run_bulk(
        scope,
        database,
        Selection(filter=HoldFilter(), after=holds[0].id),
        Assignment("ada"),
        quiet,
    )

    assert rest.done == (holds[1].id, holds[2].id)
    assert await labels(shop, owner="ada", sort="age") == ["Order #2", "Order #3"]


async def test_two_people_who_decide_the_same_many_decide_each_of_them_once(shop: Shop) -> None:
    holds = await three_held(shop)
    selection = Selection(ids=tuple(hold.id for hold in holds))

    results = await asyncio.gather(
        *(
            run_bulk(
                shop.retailer.scope,
                shop.stage.database,
                selection,
                Decide(what, "Both are quick."),
                quiet,
            )
            for what in ("release", "discard")
        )
    )

    assert sorted(each for result in results for each in result.done) == sorted(
        hold.id for hold in holds
    )
    assert sum(len(result.refused) for result in results) == 3
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0


async def test_foreign_records_in_an_act_on_many_are_missing(shop: Shop) -> None:
    holds = await three_held(shop)
    other = await shop.stage.retailer()

    result = await run_bulk(
        other.scope,
        shop.stage.database,
        Selection(ids=tuple(hold.id for hold in holds)),
        Decide("discard", "Not mine."),
        quiet,
    )

    assert (result.done, [code for _, code in result.refused]) == ((), ["resource.not_found"] * 3)
    assert await shop.states("hold") == {"open": 3}
