"""A missing ticket is told by store, till and number, and no more once it came."""

from __future__ import annotations

from app.retail.journals.keep import KEEP_EVERY_S, keep_store_days
from tests.app.retail.journals.conftest import Shop, poslog, tickets

SOON_S = 300.0


async def test_a_missing_ticket_is_told_and_closed_by_itself_when_it_comes(shop: Shop) -> None:
    """E-D13. Looked for every minute, told with store, till and number."""
    sold = tickets(30)
    lost = next(each for each in sold[10:20] if each.sequence > 1)
    await shop.arrive("day.xml", poslog([each for each in sold if each is not lost]))
    await keep_store_days(shop.stage.database, shop.stage.vault)
    (gap,) = await shop.breaks("sequence_gap")
    assert f"Ticket {lost.sequence} of store 12, till {lost.workstation} never came." in gap.words
    assert KEEP_EVERY_S <= SOON_S

    await shop.arrive("late.xml", poslog([lost]))
    await keep_store_days(shop.stage.database, shop.stage.vault)

    assert await shop.breaks("sequence_gap") == []
    (closed,) = await shop.breaks("sequence_gap", with_closed=True)
    assert closed.state == "closed"
