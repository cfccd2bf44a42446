"""From till files to journals in the book: taken once, audited, booked, and only differences after."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from app.retail.journals.audit import Declared
from app.retail.journals.close import ClosedDay, close_day
from app.retail.journals.read import CSV_COLUMNS, journals_csv
from app.retail.journals.rule_book import publish_rules
from app.retail.journals.rules import PostingRules
from infra.database.unit import begin
from infra.errors import NotFound, PlatformError
from tests.app.retail.journals.conftest import DAY, Shop, expected, open_shop, poslog, tickets
from tests.stage import Stage

ACCOUNTS = {
    "revenue": "4000", "returns": "4090", "tax_payable": "2200", "tender_clearing/cash": "1010",
    "tender_clearing": "1020", "over_short": "6900",
}  # fmt: skip


async def close(shop: Shop, declared: Declared | None = None, reason: str = "") -> ClosedDay:
    return await close_day(
        shop.retailer.scope, shop.stage.database, shop.stage.vault, "12", DAY, declared, reason
    )


async def test_a_days_tickets_are_booked_exactly_and_once(shop: Shop) -> None:
    sold = tickets(200)
    await publish_rules(
        shop.retailer.scope, shop.stage.database, shop.stage.vault, PostingRules(accounts=ACCOUNTS)
    )
    await shop.arrive("day.xml", poslog(sold))

    closed = await close(shop)
    again = await close(shop)

    assert closed.day.state == "posted"
    assert closed.words.startswith("Complete: 200 tickets, ")
    assert await shop.booked() == expected(sold)
    (journal,) = await shop.journals()
    assert (journal.revision, journal.status, journal.place) == (1, "balanced", "12")
    assert {line.detail: line.account for line in journal.lines if line.role == "tender_clearing"} == {
        "cash": "1010", "card": "1020",
    }  # fmt: skip
    assert again.journals == ()


async def test_a_late_ticket_is_told_first_and_then_booked_alone(shop: Shop) -> None:
    """E-F19. One ticket is lost; the day is closed with a reason; the ticket comes and is booked."""
    sold = tickets(60)
    lost = next(each for each in sold[20:] if each.sequence > 3)
    await shop.arrive("day.xml", poslog([each for each in sold if each is not lost]))

    refused = await close(shop)

    key = f"12/{DAY}/{lost.workstation}/{lost.sequence}"
    assert refused.day.state == "closed"
    assert [each.key for each in await shop.breaks("sequence_gap")] == [key]
    assert refused.words.endswith("1 ticket never came.")
    assert await shop.journals() == []

    accepted = await close(shop, reason="The store sends it tomorrow.")
    assert (accepted.day.state, accepted.day.gaps) == ("posted", 1)

    await shop.arrive("late.xml", poslog([lost]))
    await shop.look()
    (day,) = await shop.days()
    assert (day.state, day.gaps, day.late_tickets) == ("re_opened", 0, 1)
    assert await shop.breaks("sequence_gap") == []
    (told,) = await shop.breaks("sequence_gap", with_closed=True)
    assert (told.key, told.state, told.resolution) == (key, "closed", "It came, or is explained.")

    await close(shop)
    first, second = await shop.journals()
    assert (first.revision, second.revision) == (1, 2)
    late = {
        f"{line.role}/{line.detail}".rstrip("/"): line.debit - line.credit for line in second.lines
    }
    assert late == expected([lost])
    assert await shop.booked() == expected(sold)


async def test_of_600_tickets_two_cannot_be_read_and_all_others_are_booked_exactly(
    shop: Shop,
) -> None:
    sold = tickets(600)
    bad = [sold[200], sold[400]]
    content = poslog(sold)
    for ticket in bad:
        piece = poslog([ticket]).split(b"\n")[1]
        assert content.count(piece) == 1
        content = content.replace(piece, piece.replace(b'GrandAmount">', b'GrandAmount">9'))
    await shop.arrive("day.xml", content)

    closed = await close(shop, reason="Two wait.")

    assert sorted((gap.workstation, gap.number, gap.reason) for gap in closed.gaps) == sorted(
        (ticket.workstation, ticket.sequence, "held") for ticket in bad
    )
    assert "2 tickets wait for a decision" in closed.words
    assert await shop.booked() == expected([each for each in sold if each not in bad])
    (sums,) = await shop.stage.rows(
        shop.retailer, "select count(*) as count, sum(total) as total from sale_record"
    )
    assert sums["count"] == len(sold) - len(bad)
    (journal,) = await shop.journals()
    worth = [line for line in journal.lines if line.role != "tender_clearing"]
    assert sum(line.credit - line.debit for line in worth) == sums["total"]


async def test_files_in_any_order_and_twice_book_the_same(stage: Stage) -> None:
    sold = tickets(90)
    parts = [sold[0:30], sold[30:60], sold[60:90]]
    one, other = await open_shop(stage), await open_shop(stage)

    for number, part in enumerate(parts):
        await one.arrive(f"{number}.xml", poslog(part))
        await one.look()
    for number in (2, 0, 1, 2):
        await other.arrive(f"{number}.xml", poslog(parts[number]))
        await other.look()
    # Taken anew from nothing: the watermark is only there to save work.
    await other.stage.write(
        other.retailer, "update sale_watermark set event_id = $1", other.tenant_id
    )
    await close(one)
    await close(other)

    assert await one.booked() == await other.booked() == expected(sold)
    (journal,), (same,) = await one.journals(), await other.journals()
    assert journal.source_hash == same.source_hash


async def test_two_who_take_and_close_at_once_book_once(shop: Shop) -> None:
    sold = tickets(80)
    await shop.arrive("day.xml", poslog(sold))

    await asyncio.gather(close(shop), close(shop), close(shop))

    assert [each.revision for each in await shop.journals()] == [1]
    assert await shop.booked() == expected(sold)


async def test_money_counted_short_is_booked_and_counted_again_is_booked_back(shop: Shop) -> None:
    """E-F21."""
    sold = tickets(40)
    await shop.arrive("day.xml", poslog(sold))
    cash = expected(sold)["tender_clearing/cash"]

    await close(shop, Declared({"cash": cash - 20}), reason="Counted twice.")

    assert await shop.booked("over_short") == {
        "over_short/cash": Decimal(20), "tender_clearing/cash": Decimal(-20),
    }  # fmt: skip
    (told,) = await shop.breaks("over_short")
    assert (told.amount, told.currency) == (Decimal(-20), "USD")

    await close(shop, Declared({"cash": cash}), reason="")

    assert await shop.booked("over_short") == {}
    assert [each.revision for each in await shop.journals("over_short")] == [1, 2]
    assert await shop.breaks("over_short") == []


async def test_an_unknown_account_holds_one_journal_as_draft_until_it_is_named(shop: Shop) -> None:
    """E-F17."""
    await shop.arrive("day.xml", poslog(tickets(30)))
    partly = {name: each for name, each in ACCOUNTS.items() if name != "tax_payable"}
    await publish_rules(
        shop.retailer.scope, shop.stage.database, shop.stage.vault, PostingRules(accounts=partly)
    )

    await close(shop)

    (draft,) = await shop.journals()
    assert draft.status == "draft"
    (told,) = await shop.breaks("account_unmapped")
    assert told.key == "tax_payable/Sales tax"

    found = await publish_rules(
        shop.retailer.scope, shop.stage.database, shop.stage.vault, PostingRules(accounts=ACCOUNTS)
    )

    assert found == (2, 1)
    (complete,) = await shop.journals()
    assert (complete.status, complete.revision) == ("balanced", 1)
    assert await shop.breaks("account_unmapped") == []


async def test_a_role_that_does_not_exist_is_refused(shop: Shop) -> None:
    wrong = PostingRules(accounts={"revenu": "4000"})

    with pytest.raises(PlatformError, match="There is no role revenu"):
        await publish_rules(shop.retailer.scope, shop.stage.database, shop.stage.vault, wrong)


async def test_a_day_of_another_retailer_is_not_there(shop: Shop, stage: Stage) -> None:
    await shop.arrive("day.xml", poslog(tickets(10)))
    await shop.look()
    stranger = await open_shop(stage)

    with pytest.raises(NotFound):
        await close(stranger)
    assert await stranger.days() == []


async def test_what_was_booked_cannot_be_changed_in_the_book(shop: Shop) -> None:
    await shop.arrive("day.xml", poslog(tickets(10)))
    await close(shop)

    for change in (
        "update journal_line set debit = debit + 1",
        "update journal set debit = 0",
        "delete from journal_line",
        "update sale_record set total = 0",
        "delete from sale_record",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with begin(shop.retailer.scope, shop.stage.database) as session:
                await session.execute(change)


async def test_journals_as_csv_have_one_row_for_each_line(shop: Shop) -> None:
    await shop.arrive("day.xml", poslog(tickets(10)))
    await close(shop)
    journals = await shop.journals()

    rows = journals_csv(journals).splitlines()

    assert rows[0] == ",".join(CSV_COLUMNS)
    assert len(rows) == 1 + sum(len(each.lines) for each in journals)
    assert rows[1].startswith("main,sales_day,12,2026-11-20,2026-11-20,USD,1,draft,,")
