"""Who may start a replay and when: limits, the second person, the age of a preview, cancelling."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from app.exceptions.replay import run
from app.exceptions.replay.create import create_replay
from app.exceptions.replay.read import read_replay
from app.exceptions.replay.selection import Selection
from app.exceptions.replay.start import (
    NothingToDo,
    PreviewTooOld,
    SamePerson,
    WrongState,
    approve_replay,
    cancel_replay,
    start_replay,
)
from infra.errors import NotFound
from infra.ids import new_id
from tests.app.exceptions.conftest import broken_order
from tests.app.exceptions.replay.conftest import Replays
from tests.stage import order_event

Urls = tuple[str, str]


async def allow_alone(replays: Replays, urls: Urls, entitlements: str) -> None:
    """Say what one person may do alone, as only the owner of the schema can here."""
    owner = await asyncpg.connect(urls[0])
    await owner.execute("alter table tenant no force row level security")
    tenant_id = replays.shop.retailer.tenant_id
    await owner.execute(
        "update tenant set entitlements = $2::jsonb where id = $1", tenant_id, entitlements
    )
    await owner.execute("alter table tenant force row level security")
    await owner.close()


async def refused_orders(replays: Replays, *events: dict[str, Any]) -> None:
    """Hold all these orders, then mend what refused them."""
    replays.shop.target.refused.update(event["data"]["order_id"] for event in events)
    await replays.shop.sell(*events)
    replays.shop.target.refused.clear()


@pytest.mark.parametrize(
    ("entitlements", "words"),
    [
        ('{"replay": {"records": 1}}', "2 records are more than the 1 one person may."),
        (
            '{"replay": {"amount": "39.99"}}',
            "40.00 USD is more than the 39.99 one person may.",
        ),
    ],
)
async def test_beyond_a_limit_a_second_person_must_approve(
    replays: Replays, database_urls: Urls, entitlements: str, words: str
) -> None:
    await allow_alone(replays, database_urls, entitlements)
    await refused_orders(replays, order_event(1), order_event(2))
    database = replays.shop.stage.database
    preview = await replays.preview(code="target.refused")
    assert (preview.needs_approval, preview.words) == (True, words)

    waiting = await replays.start(preview.id)
    await replays.rest()
    assert waiting.state == "awaiting_approval"
    assert replays.shop.target.taken == []
    with pytest.raises(SamePerson):
        await approve_replay(replays.person("ada"), database, preview.id)

    approved = await approve_replay(replays.person("grace"), database, preview.id)
    done = await replays.done(preview.id)

    assert (approved.state, approved.approved_by) == ("running", "person:grace")
    assert (done.receipt["equal"], done.receipt["of"]) == (2, 2)
    audited = [action for action, _ in await replays.shop.audited() if "replay" in action]
    assert audited == [
        "replays.preview_replay",
        "replays.start_replay",
        "replays.approve_replay",
        "replays.replay_record",
        "replays.replay_record",
    ]


async def test_within_the_limits_one_person_is_enough(replays: Replays) -> None:
    await refused_orders(replays, order_event(1))

    preview = await replays.preview(code="target.refused")

    assert (preview.needs_approval, preview.words) == (False, "")
    assert (await replays.start(preview.id)).state == "running"


async def test_a_refund_always_needs_a_second_person(replays: Replays) -> None:
    stage, retailer = replays.shop.stage, replays.shop.retailer
    await stage.flow(retailer, "source", "target", types=["retail.order.refunded.v1"])
    refund = {
        "specversion": "1.0",
        "id": "refund-1",
        "source": "source",
        "type": "retail.order.refunded.v1",
        "data": {
            "refund_id": "r-1",
            "order_id": "o-1",
            "currency": "USD",
            "amount": "5.00",
            "happened_at": "2026-11-20T10:00:00+00:00",
            "lines": [],
        },
    }
    replays.shop.target.refused.add("o-1")
    await replays.shop.sell(refund)

    preview = await replays.preview(code="target.refused")

    assert preview.preview["effects"] == {"refunds money": 1}
    assert (preview.needs_approval, preview.words) == (True, "It moves money: refunds money.")


async def test_an_old_preview_cannot_be_started(replays: Replays) -> None:
    await refused_orders(replays, order_event(1))
    preview = await replays.preview(code="target.refused")
    await replays.shop.stage.write(
        replays.shop.retailer, "update replay set previewed_at = now() - interval '16 minutes'"
    )

    with pytest.raises(PreviewTooOld):
        await replays.start(preview.id)

    assert (await replays.read(preview.id)).state == "previewed"


async def test_cancelling_stops_what_has_not_begun_and_tells_the_end_of_the_rest(
    replays: Replays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "AT_A_TIME", 2)
    await refused_orders(replays, *(order_event(number) for number in range(1, 6)))
    preview = await replays.preview(code="target.refused")
    await replays.start(preview.id)
    database, tenant_id = replays.shop.stage.database, replays.shop.retailer.tenant_id
    assert await run.run_chunk(tenant_id, preview.id, database) == 2

    cancelled = await cancel_replay(replays.person("ada"), database, preview.id)
    again = await cancel_replay(replays.person("ada"), database, preview.id)
    done = await replays.done(preview.id)

    assert (cancelled.state, cancelled.finished_at, again.state) == ("cancelled", None, "cancelled")
    assert (done.state, done.started, done.finished) == ("cancelled", 2, 2)
    assert done.receipt == {
        "by": {"create": {"records": 2, "amounts": {"USD": "40.00"}}},
        "equal": 2,
        "of": 2,
    }
    assert await replays.shop.states("delivery") == {"delivered": 2, "held": 3}
    states = [item.state for item in await replays.items(preview.id)]
    assert states == ["done", "done", "left_out", "left_out", "left_out"]


async def test_a_replay_of_conflicts_only_has_nothing_to_do(replays: Replays) -> None:
    await replays.shop.sell(broken_order(1))
    preview = await replays.preview(code="order.totals_differ")
    assert preview.preview["by"]["conflict"]["records"] == 1

    with pytest.raises(NothingToDo):
        await replays.start(preview.id)


async def test_what_is_not_where_an_act_belongs_is_refused(replays: Replays) -> None:
    await refused_orders(replays, order_event(1))
    database = replays.shop.stage.database
    ada = replays.person("ada")
    fresh = await create_replay(ada, database, Selection(code="target.refused"), "now", "Mended.")

    with pytest.raises(WrongState):
        await start_replay(ada, database, fresh.id)
    with pytest.raises(WrongState):
        await approve_replay(replays.person("grace"), database, fresh.id)
    with pytest.raises(NotFound):
        await start_replay(ada, database, new_id())


async def test_records_that_are_not_there_are_refused_before_anything_is_written(
    replays: Replays,
) -> None:
    with pytest.raises(NotFound):
        await replays.preview(holds=(new_id(),))
    with pytest.raises(NotFound):
        await replays.preview(incident=new_id())

    assert await replays.shop.states("replay") == {}


async def test_a_selection_of_nothing_is_refused_with_words(replays: Replays) -> None:
    empty = await replays.preview(code="target.refused")

    assert (empty.state, empty.words) == ("refused", "Nothing fits this selection any more.")
    assert empty.finished_at is not None


async def test_a_selection_of_too_many_is_refused_with_words(
    replays: Replays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.exceptions.replay.collect.MOST_RECORDS", 2)
    await refused_orders(replays, order_event(1), order_event(2), order_event(3))

    refused = await replays.preview(code="target.refused")

    assert refused.state == "refused"
    assert refused.words.startswith("More than ")
    assert await replays.items(refused.id) == []


async def test_another_retailer_does_not_see_a_replay(replays: Replays) -> None:
    await refused_orders(replays, order_event(1))
    preview = await replays.preview(code="target.refused")
    stranger = await replays.shop.stage.retailer()

    with pytest.raises(NotFound):
        await read_replay(stranger.scope, replays.shop.stage.database, preview.id)
