"""Store days are kept up to date for all retailers, and what explains a gap closes it."""

from __future__ import annotations

from app.retail.journals.keep import keep_store_days
from tests.app.retail.journals.conftest import Shop, open_shop, poslog, tickets
from tests.stage import Stage


async def test_what_all_retailers_sold_is_taken_without_anybody_asking(stage: Stage) -> None:
    shops = [await open_shop(stage), await open_shop(stage)]
    for shop in shops:
        await shop.arrive("day.xml", poslog(tickets(12)))

    looked_at = await keep_store_days(stage.database, stage.vault)
    await keep_store_days(stage.database, stage.vault)

    assert looked_at >= len(shops)
    for shop in shops:
        assert [(day.state, day.tickets) for day in await shop.days()] == [("open", 12)]


async def test_a_voided_ticket_that_comes_later_explains_its_number(shop: Shop) -> None:
    sold = tickets(30)
    lost = next(each for each in sold[10:20] if each.sequence > 1)
    await shop.arrive("day.xml", poslog([each for each in sold if each is not lost]))
    await shop.look()
    assert [day.gaps for day in await shop.days()] == [1]

    voided = poslog([lost]).replace(b"<Transaction>", b'<Transaction CancelFlag="true">')
    await shop.arrive("late.xml", voided)
    await shop.look()

    assert [(day.gaps, day.tickets) for day in await shop.days()] == [(0, 29)]
    assert await shop.breaks("sequence_gap") == []
