"""The scheduler's monthly way through all retailers: in pieces, once a month, nobody left out."""

from __future__ import annotations

import time_machine

from app.connections.resealing import Resealing
from infra.database.pool import Database
from infra.database.unit import begin
from tests.app.retailer import Retailer, make_retailer, new_vault

OCTOBER, NOVEMBER, DECEMBER = "2026-10-15T12:00Z", "2026-11-01T00:00Z", "2026-12-01T00:00Z"


async def three_retailers(database: Database) -> list[Retailer]:
    """Make retailers with a credential of October each."""
    vault = new_vault(database)
    with time_machine.travel(OCTOBER, tick=False):
        made = [await make_retailer(database, vault) for _ in range(3)]
        for retailer in made:
            erp = await retailer.connect("erp")
            await retailer.store(erp, "key", "credential-of-october")
    return made


async def periods(retailers: list[Retailer], database: Database) -> list[int]:
    found = []
    for retailer in retailers:
        async with begin(retailer.scope, database) as session:
            found.append(await session.fetch_value("select period from connection_secret"))
    return found


async def test_all_credentials_move_to_the_new_month_once(database: Database) -> None:
    retailers = await three_retailers(database)
    resealing = Resealing(database, retailers[0].vault)

    with time_machine.travel(NOVEMBER, tick=False):
        counts = [await resealing.go_on(), await resealing.go_on()]

    assert counts == [3, 0]
    assert await periods(retailers, database) == [202611] * 3
    with time_machine.travel(DECEMBER, tick=False):
        assert await resealing.go_on() == 3
    assert await periods(retailers, database) == [202612] * 3


async def test_a_call_that_runs_out_of_time_is_continued_by_the_next(database: Database) -> None:
    retailers = await three_retailers(database)
    resealing = Resealing(database, retailers[0].vault, at_most_s=-1)

    with time_machine.travel(NOVEMBER, tick=False):
        first = await resealing.go_on()
        partly = await periods(retailers, database)
        while 202610 in await periods(retailers, database):
            await resealing.go_on()

    assert first <= 1
    assert partly.count(202611) == first
    assert await periods(retailers, database) == [202611] * 3


async def test_one_retailer_that_cannot_be_resealed_stops_no_other(database: Database) -> None:
    retailers = await three_retailers(database)
    async with begin(retailers[0].scope, database) as session:
        await session.execute("update connection_secret set sealed = 'broken'")
    resealing = Resealing(database, retailers[0].vault)

    with time_machine.travel(NOVEMBER, tick=False):
        await resealing.go_on()

    assert await periods(retailers, database) == [202610, 202611, 202611]
