"""By which ways records are chosen, values of which the latest wins, and the mapping of then."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.exceptions.release import release_hold
from app.exceptions.replay.selection import Selection
from app.flows.versions import NewVersion, publish_version
from connectors.canonical.event import STOCK_POSITION
from infra.database.unit import begin
from infra.ids import new_id
from tests.app.exceptions.replay.conftest import Replays
from tests.stage import order_event


def stock(quantity: int, sku: str = "SKU-001", location: str = "main") -> dict[str, Any]:
    """Write one stock position, newer with every quantity."""
    return {
        "specversion": "1.0",
        "id": f"stock-{sku}-{quantity}",
        "source": "source",
        "type": STOCK_POSITION,
        "data": {
            "sku": sku,
            "location": location,
            "available": str(quantity),
            "as_of": f"2026-11-20T10:00:{quantity:02d}+00:00",
        },
    }


async def stock_flow(replays: Replays) -> None:
    await replays.shop.stage.flow(
        replays.shop.retailer,
        "source",
        "target",
        types=[STOCK_POSITION],
        ordering="latest_wins",
        class_=1,
    )


def sent(replays: Replays) -> list[str]:
    return [order["available"] for order in replays.shop.target.taken if "available" in order]


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"states": ("held",)},
        {"code": "target.refused", "incident": new_id()},
        {"holds": (new_id(),), "outage": new_id()},
        {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"since": "2026-01-02T00:00:00"},
        {"code": "no code; drop"},
        {"unknown": 1},
    ],
)
def test_a_selection_is_made_in_exactly_one_way(chosen: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Selection.model_validate(chosen)


async def test_an_incident_chooses_what_it_holds(replays: Replays) -> None:
    stage, retailer = replays.shop.stage, replays.shop.retailer
    replays.shop.target.refused.update({"o-1", "o-2"})
    await replays.shop.sell(order_event(1), order_event(2))
    incident = new_id()
    await stage.write(
        retailer,
        "insert into incident (tenant_id, id, fingerprint, connection_id, connector, error_class,"
        " code, title, first_seen_at, last_seen_at) values ($1, $2, '\\x01', $3, 'http', 'mapping',"
        " 'target.refused', 'Refused', now(), now())",
        retailer.tenant_id,
        incident,
        retailer.connections["target"],
    )
    await stage.write(
        retailer, "update hold set incident_id = $1 where label = 'Order #1'", incident
    )

    preview = await replays.preview(incident=incident)

    assert [item.label for item in await replays.items(preview.id)] == ["Order #1"]


async def test_an_outage_chooses_what_was_accepted_or_failed_in_it(replays: Replays) -> None:
    stage, retailer = replays.shop.stage, replays.shop.retailer
    await replays.shop.sell(order_event(1))
    outage = new_id()
    await stage.write(
        retailer,
        "insert into connection_outage (tenant_id, id, connection_id, kind)"
        " values ($1, $2, $3, 'open')",
        retailer.tenant_id,
        outage,
        retailer.connections["target"],
    )
    replays.shop.target.refused.add("o-2")
    await replays.shop.sell(order_event(2), order_event(3))
    await stage.write(retailer, "update connection_outage set ended_at = now()")
    await replays.shop.sell(order_event(4))

    preview = await replays.preview(outage=outage)

    found = [(item.label, item.promised) for item in await replays.items(preview.id)]
    assert found == [("Order #2", "create"), ("Order #3", "no_op")]


async def test_a_filter_chooses_by_flow_type_and_connection(replays: Replays) -> None:
    await stock_flow(replays)
    await replays.shop.sell(order_event(1), stock(1))
    retailer = replays.shop.retailer
    states = ("delivered",)

    by_type = await replays.preview(event_type=STOCK_POSITION, states=states)
    by_flow = await replays.preview(flow=next(iter(retailer.flows.values())), states=states)
    by_target = await replays.preview(connection=retailer.connections["target"], states=states)

    assert [item.label for item in await replays.items(by_type.id)] == ["Stock of SKU-001 at main"]
    assert [item.label for item in await replays.items(by_flow.id)] == ["Order #1"]
    assert by_target.records == 2


async def test_of_values_only_the_newest_is_brought_and_older_ones_are_superseded(
    replays: Replays,
) -> None:
    await stock_flow(replays)
    for quantity in (1, 2, 3):
        await replays.shop.sell(stock(quantity))
    assert sent(replays) == ["1", "2", "3"]

    done = await replays.replayed(event_type=STOCK_POSITION, states=("delivered",))

    assert [item.promised for item in await replays.items(done.id)] == ["stale", "stale", "no_op"]
    assert (done.receipt["equal"], done.receipt["of"]) == (3, 3)
    assert sent(replays) == ["1", "2", "3", "3"]
    assert await replays.shop.states("delivery") == {"delivered": 4, "superseded": 2}
    assert (await replays.shop.stage.ledger(replays.shop.retailer)).unaccounted == 0


async def test_of_values_that_never_arrived_the_newest_of_the_replay_is_brought(
    replays: Replays,
) -> None:
    await stock_flow(replays)
    await replays.shop.stage.accept(replays.shop.retailer, "source", stock(1), stock(2))
    await replays.shop.work()

    done = await replays.replayed(event_type=STOCK_POSITION, states=("delivered", "superseded"))

    assert [item.promised for item in await replays.items(done.id)] == ["stale", "no_op"]
    assert (done.receipt["equal"], done.receipt["of"]) == (2, 2)
    assert sent(replays) == ["2", "2"]


async def test_a_held_value_that_is_read_anew_does_not_overwrite_a_newer_one(
    replays: Replays,
) -> None:
    await stock_flow(replays)
    old = stock(1)
    old["type"] = "stock/level"
    await replays.shop.sell(old)
    await replays.shop.sell(stock(2))
    stage, retailer = replays.shop.stage, replays.shop.retailer
    await understand(replays)
    preview = await replays.preview(code="event.type_unknown")
    assert [item.promised for item in await replays.items(preview.id)] == ["stale"]

    await replays.start(preview.id)
    done = await replays.done(preview.id)

    assert (done.receipt["equal"], done.receipt["of"]) == (1, 1)
    assert sent(replays) == ["2"]
    assert await replays.shop.states("delivery") == {"delivered": 1, "superseded": 1}
    assert await replays.shop.states("message") == {"settled": 2}
    assert (await stage.ledger(retailer)).unaccounted == 0


async def test_a_single_release_does_not_overwrite_a_newer_value_either(replays: Replays) -> None:
    await stock_flow(replays)
    old = stock(1)
    old["type"] = "stock/level"
    await replays.shop.sell(old)
    hold = await replays.shop.one_hold()
    await replays.shop.sell(stock(2))
    await understand(replays)

    shop = replays.shop
    await release_hold(shop.retailer.scope, shop.stage.database, hold.id, "Mended.", lambda: None)
    await shop.work()

    assert sent(replays) == ["2"]
    assert await shop.states("delivery") == {"delivered": 1, "superseded": 1}


async def understand(replays: Replays) -> None:
    """Tell the source what its own word for a stock level means."""
    stage, retailer = replays.shop.stage, replays.shop.retailer
    await stage.write(
        retailer,
        "update connection set settings = $2 where id = $1",
        retailer.connections["source"],
        '{"event_types": {"stock/level": "retail.stock.position.v1"}}',
    )
    stage.connections.forget(retailer.tenant_id, retailer.connections["source"])


async def publish(replays: Replays, path: str) -> None:
    """Publish a new mapping: the same flow, sent to another path."""
    retailer = replays.shop.retailer
    flow_id = next(iter(retailer.flows.values()))
    async with begin(replays.person("ada"), replays.shop.stage.database) as session:
        await publish_version(session, NewVersion(flow_id, "New path.", settings={"source": path}))


async def test_what_is_held_is_sent_under_the_mapping_of_then_or_of_now(replays: Replays) -> None:
    replays.shop.target.refused.update({"o-1", "o-2"})
    await replays.shop.sell(order_event(1), order_event(2))
    replays.shop.target.refused.clear()
    await publish(replays, "/new")
    first, second = await replays.deliveries("held")

    for mapping, chosen in (("as_then", first), ("now", second)):
        preview = await replays.preview(mapping=mapping, deliveries=(chosen,))  # type: ignore[arg-type]
        await replays.start(preview.id)
        done = await replays.done(preview.id)
        assert (done.receipt["equal"], done.receipt["of"]) == (1, 1)

    rows = await replays.shop.stage.rows(
        replays.shop.retailer,
        "select d.pinned_version, a.flow_version from delivery d join attempt a"
        " on a.delivery_id = d.id where a.outcome = 'Delivered' order by d.id",
    )
    assert [tuple(row.values()) for row in rows] == [(1, 1), (None, 2)]


async def test_what_is_delivered_is_not_replayed_under_another_mapping(replays: Replays) -> None:
    await replays.shop.sell(order_event(1))
    chosen = tuple(await replays.deliveries("delivered"))
    await publish(replays, "/new")

    now = await replays.preview(deliveries=chosen)
    then = await replays.preview(mapping="as_then", deliveries=chosen)

    (item,) = await replays.items(now.id)
    assert item.promised == "conflict"
    assert "under the mapping of then" in item.promised_words
    assert [each.promised for each in await replays.items(then.id)] == ["no_op"]
