"""Holds close themselves when the target has the record, or our own cause is gone; never otherwise."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.exceptions.claim import AlreadyDecided
from app.exceptions.content import Edit
from app.exceptions.discard import discard_hold
from app.exceptions.edit import EditParts, edit_hold
from app.exceptions.hold import Hold, read_hold
from app.exceptions.recheck.due import DueHold, take_due
from app.exceptions.recheck.heal import heal_hold
from app.exceptions.recheck.loop import Recheck
from app.exceptions.recheck.own_causes import OwnCauses
from app.exceptions.recheck.question import Question, read_question
from connectors.catalog.http.emulator import Faults
from connectors.sdk.outcome import Found
from infra import clock
from tests.app.exceptions.conftest import Shop
from tests.app.exceptions.rechecking import LOOKUP_PATH, rechecking
from tests.app.exceptions.test_deliveries import content_of, quiet
from tests.stage import order_event


@pytest_asyncio.fixture
async def recheck(shop: Shop) -> AsyncIterator[Recheck]:
    """The loop over a target that can be asked."""
    settings = json.dumps({"lookup_path": LOOKUP_PATH})
    await shop.stage.write(
        shop.retailer,
        "update connection set settings = settings || $1::jsonb, title = 'The ERP'"
        " where name = 'target'",
        settings,
    )
    shop.stage.connections.forget(shop.retailer.tenant_id, shop.retailer.connections["target"])
    async with rechecking(shop.stage) as loop:
        yield loop


async def held(shop: Shop, *more: dict[str, Any]) -> Hold:
    shop.target.refused.add("o-1")
    await shop.sell(order_event(1), *more)
    return await shop.one_hold()


async def key_of(shop: Shop, hold: Hold) -> str:
    (row,) = await shop.stage.rows(
        shop.retailer, "select effect_key from delivery where id = $1", hold.delivery_id
    )
    return str(row["effect_key"])


async def enter_by_hand(shop: Shop, hold: Hold) -> None:
    """Somebody made the record in the target, under our key."""
    shop.target.book.effects[await key_of(shop, hold)] = 1


async def make_due(shop: Shop) -> None:
    await shop.stage.write(shop.retailer, "update hold set recheck_at = now()")


async def now_of(shop: Shop, hold: Hold) -> Hold:
    return await read_hold(shop.retailer.scope, shop.stage.database, hold.id)


async def question_of(shop: Shop, hold: Hold) -> Question:
    due = DueHold(shop.retailer.tenant_id, hold.id, hold.connection_id)
    question = await read_question(shop.stage.database, shop.stage.vault, due)
    assert question is not None
    return question


async def test_a_hold_closes_by_itself_when_the_target_has_the_record(
    shop: Shop, recheck: Recheck
) -> None:
    hold = await held(shop, order_event(1, version="2"))
    key = await key_of(shop, hold)
    await enter_by_hand(shop, hold)
    await make_due(shop)

    await recheck.round()
    closed = await now_of(shop, hold)

    assert (closed.state, closed.decided_by) == ("healed", "system")
    assert closed.reason == f"The ERP has it now (rec_{key}); closed by itself."
    (delivery,) = await shop.stage.rows(
        shop.retailer, "select state, external_ref from delivery where id = $1", hold.delivery_id
    )
    assert delivery == {"state": "delivered", "external_ref": f"rec_{key}"}
    assert ("exceptions.heal_hold", f"hold:{hold.id}") in await shop.audited()
    usage = await shop.stage.rows(shop.retailer, "select kind, business_key from usage_fact")
    assert usage == [{"kind": "order", "business_key": "o-1"}]
    shop.target.refused.clear()
    await shop.work()
    assert await shop.states("delivery") == {"delivered": 2}
    assert await shop.states("message") == {"settled": 2}
    assert len(await shop.stage.rows(shop.retailer, "select 1 from usage_fact")) == 1
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0


async def test_a_hold_stays_open_while_the_target_does_not_have_it(
    shop: Shop, recheck: Recheck
) -> None:
    hold = await held(shop)
    await make_due(shop)

    await recheck.round()
    after = await now_of(shop, hold)

    assert (after.state, (await shop.states("delivery"))) == ("open", {"held": 1})
    assert after.recheck_at is not None
    assert after.recheck_at <= clock.now() + timedelta(seconds=60)


@pytest.mark.parametrize("faults", [Faults(unavailable=1.0), Faults(errors=1.0)])
async def test_a_target_that_cannot_be_asked_closes_nothing(
    shop: Shop, recheck: Recheck, faults: Faults
) -> None:
    hold = await held(shop)
    await enter_by_hand(shop, hold)
    shop.target.faults = faults
    await make_due(shop)

    await recheck.round()
    first = await now_of(shop, hold)
    shop.target.faults = Faults()
    await make_due(shop)
    await recheck.round()

    assert first.state == "open"
    assert (await now_of(shop, hold)).state == "healed"


async def test_a_target_behind_an_open_breaker_is_not_asked(shop: Shop, recheck: Recheck) -> None:
    hold = await held(shop)
    await enter_by_hand(shop, hold)
    await make_due(shop)
    await shop.stage.write(
        shop.retailer,
        "insert into connection_health (tenant_id, connection_id, state, closed_until)"
        " values ($1, $2, 'open', now() + interval '1 hour')"
        " on conflict (tenant_id, connection_id) do update set state = 'open',"
        " closed_until = now() + interval '1 hour'",
        shop.retailer.tenant_id,
        shop.retailer.connections["target"],
    )

    due = await take_due(shop.stage.database)

    assert [each for each in due if each.id == hold.id] == []
    assert (await now_of(shop, hold)).state == "open"


async def test_a_target_that_offers_no_question_is_not_looked_at_again(shop: Shop) -> None:
    hold = await held(shop)
    await make_due(shop)

    async with rechecking(shop.stage) as recheck:
        await recheck.round()

    after = await now_of(shop, hold)
    assert (after.state, after.recheck_at) == ("open", None)


async def test_of_a_person_and_the_loop_one_decides(shop: Shop, recheck: Recheck) -> None:
    hold = await held(shop)
    question = await question_of(shop, hold)
    await discard_hold(
        shop.retailer.scope, shop.stage.database, hold.id, "Was a test order.", quiet
    )

    with pytest.raises(AlreadyDecided):
        await heal_hold(shop.stage.database, question, Found("1042"), "The ERP")

    assert (await now_of(shop, hold)).state == "discarded"
    assert await shop.states("delivery") == {"discarded": 1}
    assert await shop.stage.rows(shop.retailer, "select 1 from usage_fact") == []


async def test_an_answer_about_the_event_before_its_correction_closes_nothing(
    shop: Shop, recheck: Recheck
) -> None:
    hold = await held(shop)
    question = await question_of(shop, hold)
    content = await content_of(shop, hold)
    edit = Edit("Store was missing.", event={**content, "body": {**content["body"], "store": "8"}})
    parts = EditParts(shop.stage.database, shop.stage.vault, quiet)
    await edit_hold(shop.retailer.scope, parts, hold.id, edit)
    await shop.work()
    again = await shop.one_hold()
    about_the_new = DueHold(shop.retailer.tenant_id, again.id, again.connection_id)

    with pytest.raises(AlreadyDecided):
        await heal_hold(
            shop.stage.database,
            Question(about_the_new, question.delivery, question.loaded),
            Found("1042"),
            "The ERP",
        )

    assert (await now_of(shop, again)).state == "open"


async def test_what_a_switched_off_flow_held_goes_on_when_it_is_switched_on(shop: Shop) -> None:
    causes = OwnCauses(shop.stage.database, quiet)
    await shop.stage.write(shop.retailer, "update flow set is_enabled = false")
    await shop.sell(order_event(1))
    hold = await shop.one_hold()
    while_off = [await causes.look(), await causes.look()]

    await shop.stage.write(shop.retailer, "update flow set is_enabled = true")
    shop.stage.routes.forget(shop.retailer.tenant_id)
    after_on = [await causes.look(), await causes.look(), await causes.look()]
    after = await now_of(shop, hold)
    await shop.work()

    assert (hold.code, while_off, after_on) == ("flow.disabled", [0, 0], [0, 1, 0])
    assert (after.state, after.decided_by) == ("released", "system")
    assert after.reason == "The flow is switched on again; released by itself."
    assert [order["order_id"] for order in shop.target.taken] == ["o-1"]
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0


@pytest.mark.parametrize("code", ["target.refused", "mapping.no_match"])
async def test_what_was_held_for_another_reason_is_not_released_by_itself(
    shop: Shop, code: str
) -> None:
    causes = OwnCauses(shop.stage.database, quiet)
    hold = await held(shop)
    await shop.stage.write(shop.retailer, "update hold set code = $1", code)

    assert [await causes.look(), await causes.look()] == [0, 0]
    assert (await now_of(shop, hold)).state == "open"
