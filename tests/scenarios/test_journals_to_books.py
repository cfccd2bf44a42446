"""From the till's file to the books of account: each journal once, and of what comes late the delta."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from app.exceptions.edit import EditParts
from app.exceptions.redate import NotRefused, PeriodOpen, redate_journal
from app.retail.break_cards import wanted_of
from app.retail.breaks import list_breaks
from app.retail.journals.audit import Declared
from app.retail.journals.ends import PostedJournal, list_posted
from infra.database.unit import begin
from tenants.roles import Role
from tests.app.api.served import Served, key_of
from tests.app.retail.journals.conftest import DAY, expected, tickets
from tests.scenarios.finance import ACCOUNTS, FinanceShop, books_of_account, open_finance_shop
from tests.stage import Stage


@pytest_asyncio.fixture
async def shop(stage: Stage) -> AsyncIterator[FinanceShop]:
    books, server = books_of_account()
    async with server:
        books.url = server.url
        yield await open_finance_shop(stage, books)


async def test_a_late_ticket_reaches_the_books_as_a_delta_and_both_add_up_to_all_tickets(
    shop: FinanceShop,
) -> None:
    """E-F19."""
    sold = tickets(60)
    late = next(each for each in sold[20:] if each.sequence > 3)
    await shop.publish()
    await shop.sell("day.xml", [each for each in sold if each is not late])
    await shop.close("12", DAY, reason="One comes tomorrow.")
    assert shop.books.balances() == expected([each for each in sold if each is not late])

    await shop.sell("late.xml", [late])
    await shop.close("12", DAY)
    await shop.close("12", DAY)

    assert shop.books.revisions() == [("12", 1), ("12", 2)]
    assert shop.books.balances() == expected(sold)
    assert [journal["kind"] for journal in shop.books.booked] == ["sales_day", "sales_day"]
    assert await ends(shop) == [("balanced", "accepted"), ("balanced", "accepted")]


async def ends(shop: FinanceShop) -> list[tuple[str, str]]:
    return [(each.journal.status, each.end) for each in await posted(shop)]


async def test_a_closed_period_refuses_one_journal_with_its_words_and_a_new_date_books_it(
    shop: FinanceShop,
) -> None:
    """E-F16."""
    shop.books.closed_until = str(DAY)
    sold = tickets(30)
    await shop.publish()
    await shop.sell("day.xml", sold)
    await shop.close("12", DAY)
    (refused,) = await posted(shop)
    assert refused.end == "refused"
    assert "The period is closed." in refused.words
    with pytest.raises(PeriodOpen):
        await redate_journal(shop.retailer.scope, parts(shop), refused.id, "Closed.")

    await shop.publish(closed_until=DAY)
    await redate_journal(shop.retailer.scope, parts(shop), refused.id, "The month is closed.")
    await shop.run()

    (accepted,) = await posted(shop)
    assert accepted.end == "accepted"
    (booked,) = shop.books.booked
    assert booked["posted_on"] == "2026-11-21"
    assert booked["memo"] == "Business day 2026-11-20; its period is closed."
    assert shop.books.balances() == expected(sold)
    with pytest.raises(NotRefused):
        await redate_journal(shop.retailer.scope, parts(shop), refused.id, "Again.")


async def test_a_journal_without_an_account_waits_alone_and_is_told_when_it_has_one(
    shop: FinanceShop,
) -> None:
    """E-F17. The day of store 12 has tax, for which no account is named; store 14 sells without."""
    sold = tickets(40, stores=("12", "14"))
    untaxed = [each for each in sold if each.store == "14" and not each.tax]
    of_12 = [each for each in sold if each.store == "12"]
    partly = {name: each for name, each in ACCOUNTS.items() if name != "tax_payable"}
    await shop.publish(accounts=partly)
    await shop.sell("day.xml", [*of_12, *untaxed])

    await shop.close("12", DAY, reason="Numbers are missing.")
    await shop.close("14", DAY, reason="Numbers are missing.")

    assert shop.books.revisions() == [("14", 1)]
    assert sorted(await ends(shop)) == [("balanced", "accepted"), ("draft", "draft")]

    assert (await shop.publish())[1] == 1
    await shop.run()

    assert shop.books.revisions() == [("14", 1), ("12", 1)]
    assert shop.books.balances() == expected([*of_12, *untaxed])


async def test_money_counted_short_reaches_the_books_beside_the_sales(shop: FinanceShop) -> None:
    """E-F21."""
    sold = tickets(40)
    cash = expected(sold)["tender_clearing/cash"]
    await shop.publish()
    await shop.sell("day.xml", sold)

    short = Declared(counted={"cash": cash - Decimal("20.00")})
    await shop.close("12", DAY, short, "Counted twice.")

    assert shop.books.balances("over_short") == {
        "over_short/cash": Decimal("20.00"),
        "tender_clearing/cash": Decimal("-20.00"),
    }
    assert shop.books.balances("sales_day") == expected(sold)
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        (told,) = await list_breaks(session, shop.retailer.tenant_id, kind="over_short")
    assert (told.amount, wanted_of(told).owner) == (Decimal("-20.00"), "store manager")


async def test_without_a_flow_a_journal_says_so(shop: FinanceShop) -> None:
    await shop.stage.write(shop.retailer, "update flow set event_types = '{}' where class = 3")
    shop.stage.routes.forget(shop.retailer.tenant_id)
    await shop.publish()
    await shop.sell("day.xml", tickets(10))

    await shop.close("12", DAY)

    (journal,) = await posted(shop)
    assert (journal.end, journal.records) == ("balanced", 10)
    assert journal.words == (
        "No flow takes journals from the retail core to the books. Install journals_to_erp."
    )


async def posted(shop: FinanceShop) -> list[PostedJournal]:
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        return await list_posted(session, shop.retailer.tenant_id)


def parts(shop: FinanceShop) -> EditParts:
    return EditParts(shop.stage.database, shop.stage.vault, lambda: None)


async def test_a_day_is_closed_and_its_journal_read_by_the_api(
    shop: FinanceShop, served: Served
) -> None:
    sold = tickets(20)
    await shop.publish()
    await shop.sell("day.xml", sold)
    tenant_id = shop.retailer.tenant_id
    staff = await key_of(shop.stage, Role.RETAILER_STAFF, tenant_id=tenant_id)
    manager = await key_of(shop.stage, Role.RETAILER_ADMIN, tenant_id=tenant_id)
    path = f"/v1/store-days/{DAY}~12"

    refused = await served.call("POST", f"{path}/close", staff, json={})
    closed = await served.call(
        "POST", f"{path}/close", manager, json={"counted": {"cash": "1.00"}, "reason": "A try."}
    )
    await shop.run()
    day = (await served.call("GET", path, staff)).json()
    listed = (await served.call("GET", "/v1/journals", staff)).json()["items"]
    sales = next(each for each in listed if each["kind"] == "sales_day")
    journal = (await served.call("GET", f"/v1/journals/{sales['id']}", staff)).json()

    assert (refused.status_code, closed.status_code) == (403, 200)
    assert (closed.json()["state"], closed.json()["journals_made"]) == ("posted", 2)
    assert (day["state"], day["tickets"]) == ("posted", 20)
    assert [each["kind"] for each in day["breaks"]] == ["over_short"]
    assert sorted(day["journal_ids"]) == sorted(each["id"] for each in listed)
    assert (journal["state"], journal["evidence"]["records"]) == ("accepted", 20)
    lines = {
        f"{line['role']}/{line['detail']}".rstrip("/"): Decimal(line["debit"]["amount"])
        - Decimal(line["credit"]["amount"])
        for line in journal["lines"]
    }
    assert lines == expected(sold)
