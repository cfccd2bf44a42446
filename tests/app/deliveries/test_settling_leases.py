"""Only the newest lease of a lane may write, also when an old result comes in the same breath."""

from __future__ import annotations

from app.deliveries.claim import ClaimedLane, claim
from app.deliveries.decide import Decision
from app.deliveries.handover import HandOver
from app.deliveries.look import START
from app.deliveries.settle import LaneResult, Priced, Tried, settle
from app.pipeline.prepare import Preparer
from infra import clock
from infra.database.pool import Database
from tests.stage import Retailer, Stage, open_stage, order_event


async def a_lane_with_orders(stage: Stage, versions: int) -> Retailer:
    """Give a retailer with one lane that holds several versions of one order."""
    retailer = await stage.retailer()
    await stage.connect(retailer, "source", "http")
    await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
    await stage.flow(retailer, "source", "target")
    events = [order_event(1, version=str(number)) for number in range(versions)]
    await stage.accept(retailer, "source", *events)
    preparer = Preparer(stage.database, stage.vault, stage.connections, stage.routes, HandOver())
    await preparer.prepare(retailer.tenant_id, 100)
    return retailer


async def claimed(stage: Stage, retailer: Retailer) -> ClaimedLane:
    """Lease the retailer's only lane, whatever lease it is under."""
    await stage.write(retailer, "update lane set ready_at = now()")
    taken = await claim(stage.database, worker="w", lease_s=30, lanes=10, cursor=START)
    return next(lane for lane in taken.lanes if lane.key[0] == retailer.tenant_id)


def delivered(lane: ClaimedLane, count: int) -> LaneResult:
    """Say that the first deliveries of a leased lane went through, the others were not begun."""
    tried = tuple(
        Tried(delivery, Decision("delivered"), "Delivered", 200, clock.now(), 1, Priced())
        for delivery in lane.deliveries[:count]
    )
    return LaneResult(lane.key, lane.token, tried, lane.deliveries[count:], "w")


async def test_an_old_result_does_not_pass_beside_the_new_one_of_the_same_lane(
    database: Database,
) -> None:
    async with open_stage(database) as stage:
        retailer = await a_lane_with_orders(stage, versions=4)
        old = await claimed(stage, retailer)
        new = await claimed(stage, retailer)
        results = [delivered(old, 1), delivered(new, len(new.deliveries))]

        ours = await settle(results, database)

        assert ours == {(new.key, new.token)}
        (lane,) = await stage.rows(retailer, "select open_count, next_seq from lane")
        left = await stage.rows(
            retailer, "select seq from delivery where state <> 'delivered' order by seq"
        )
        assert lane["open_count"] == len(left)
        assert len(left) == 4 - len(new.deliveries)
