"""From an order that a target does not take to the mail that people read, and to its end."""

from __future__ import annotations

from datetime import timedelta

from app.exceptions.incidents.sync import IncidentSync
from app.exceptions.release import release_hold
from connectors.catalog.http.emulator import Recorder
from infra.database.pool import Database
from tests.app.exceptions.conftest import Shop
from tests.app.exceptions.picky import PickyTarget
from tests.app.health.alerts.desk import Desk, subjects, text_of
from tests.stage import open_stage, order_event


async def find(database: Database) -> None:
    """Look for incidents, as if the last look had been long ago."""
    await IncidentSync(database, quiet_for=timedelta(0)).go_on()


async def test_refused_orders_become_one_mail_and_their_release_another(
    database: Database, desk: Desk
) -> None:
    target = PickyTarget(refused={"o-1", "o-2"})
    async with Recorder(target) as recorder, open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "target", ["signing_secret"])
        await stage.flow(retailer, "source", "target")
        shop = Shop(stage, retailer, target)
        channel, _ = await desk.channel(retailer.scope, least_severity=0)

        await shop.sell(order_event(1, total="1000.00"), order_event(2, total="480.10"))
        await find(database)
        await desk.tell()
        target.refused.clear()
        for hold in await shop.holds():
            await release_hold(retailer.scope, database, hold.id, "Mended.", lambda: None)
        await shop.work()
        await find(database)
        await desk.tell()

    opened, over = desk.postbox.mails
    assert await desk.states(channel) == [("opened", "sent"), ("resolved", "sent")]
    assert subjects([opened])[0].startswith("Shop: target cannot take 2 orders")
    assert subjects([opened])[0].endswith(" - USD 1,480.10 at risk")
    assert "Records: 2" in text_of(opened).splitlines()
    assert subjects([over])[0].startswith("Shop: Over: ")
    assert over["In-Reply-To"] == opened["Message-ID"]
