"""From the marketplace's file to the books: whole or not at all, matched, every difference told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal

import pytest_asyncio

from app.retail.breaks import Break, list_breaks
from app.retail.journals.take import take_sales
from app.retail.settlements.unsettled import tell_unsettled
from infra.database.unit import begin
from tenants.roles import Role
from tests.app.api.served import Served, key_of
from tests.app.retail.settlements.report import D, Row, as_tsv, settlement_event
from tests.scenarios.finance import FinanceShop, books_of_account, open_finance_shop
from tests.stage import Stage, order_event

ROWS: list[Row] = [
    ("Order", "o-1", "ItemPrice", "Principal", "20.00"),
    ("Order", "o-1", "ItemFees", "Commission", "-3.00"),
    ("Order", "o-2", "ItemPrice", "Principal", "20.00"),
    ("Order", "o-2", "ItemFees", "Unheard-of fee", "-1.00"),
]


@pytest_asyncio.fixture
async def shop(stage: Stage) -> AsyncIterator[FinanceShop]:
    books, server = books_of_account()
    async with server:
        books.url = server.url
        opened = await open_finance_shop(stage, books)
        await opened.publish()
        yield opened


async def order(shop: FinanceShop, *numbers: int) -> None:
    events = (order_event(number, kind="marketplace") for number in numbers)
    await shop.stage.accept(shop.retailer, "amazon", *events)
    await shop.run()


async def breaks(shop: FinanceShop) -> list[tuple[str, str, Decimal | None]]:
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        found: list[Break] = await list_breaks(session, shop.retailer.tenant_id)
    return [(each.kind, each.key, each.amount) for each in found]


async def test_a_settlement_file_reaches_the_books_and_a_new_fee_is_asked_about_once(
    shop: FinanceShop,
) -> None:
    """E-F06. The fee that nobody knows is booked in suspense; the file is not refused for it."""
    await order(shop, 1, 2)

    await shop.arrive("payouts", "report.txt", as_tsv(ROWS).encode())
    await shop.run()
    (taken,) = await shop.settle()

    assert (taken.matched.orders, taken.matched.agreed) == (2, 2)
    assert shop.books.balances("settlement") == {
        "cash_in_transit/amazon": D("36.00"),
        "fees_expense/selling_fee": D("3.00"),
        "marketplace_receivable": D("-40.00"),
        "settlement_suspense/ItemFees: Unheard-of fee": D("1.00"),
    }
    assert await breaks(shop) == [("unclassified", "amazon/ItemFees/Unheard-of fee", D("-1.00"))]
    assert await shop.settle() == []


async def test_an_order_that_comes_after_its_settlement_takes_its_money_out_of_suspense(
    shop: FinanceShop,
) -> None:
    """E-F02."""
    await order(shop, 1)
    await shop.arrive("payouts", "report.txt", as_tsv(ROWS[:3]).encode())
    await shop.run()
    await shop.settle()
    assert await breaks(shop) == [("orphan_settlement", "amazon/o-2", D("20.00"))]

    await order(shop, 2)
    await take_sales(shop.retailer.scope, shop.stage.database, shop.stage.vault)
    await shop.settle()

    assert await breaks(shop) == []
    assert shop.books.revisions() == [("amazon/19874", 1), ("amazon/19874", 2)]
    assert shop.books.balances("settlement") == {
        "cash_in_transit/amazon": D("37.00"),
        "fees_expense/selling_fee": D("3.00"),
        "marketplace_receivable": D("-40.00"),
    }


async def test_an_incomplete_file_is_held_with_its_money_and_nothing_is_booked(
    shop: FinanceShop,
) -> None:
    await shop.arrive("payouts", "report.txt", as_tsv(ROWS, off=D("0.01")).encode())
    await shop.run()

    (held,) = await shop.stage.rows(
        shop.retailer, "select code, words, amount, currency from hold where state = 'open'"
    )
    assert held["code"] == "settlement.incomplete"
    assert "its lines come to 36.00 USD, it pays out 36.01" in held["words"]
    assert (held["amount"], held["currency"]) == (D("36.01"), "USD")
    assert await shop.settle() == []
    assert shop.books.booked == []


async def test_an_order_that_no_settlement_pays_is_told_when_it_is_due_and_closed_when_it_is_paid(
    shop: FinanceShop,
) -> None:
    """E-F03. Sold on 20 November; Amazon's money is due after 21 days."""
    await shop.publish(settled_by={"amazon": "amazon"})
    await order(shop, 1)
    await take_sales(shop.retailer.scope, shop.stage.database, shop.stage.vault)

    assert await unsettled(shop, date(2026, 12, 11)) == []
    assert await unsettled(shop, date(2026, 12, 12)) == [
        ("missing_in_settlement", "amazon/o-1", D("-20.00"))
    ]

    await shop.arrive("payouts", "report.txt", as_tsv(ROWS[:2]).encode())
    await shop.run()
    await shop.settle()

    assert await unsettled(shop, date(2026, 12, 12)) == []


async def test_deferred_money_is_a_receivable_until_it_is_overdue(shop: FinanceShop) -> None:
    """E-F04. Posted on 1 November, due 21 days later, a break 3 days after that."""
    deferred = settlement_event("19880")
    line = deferred["data"]["lines"][0]
    deferred["data"] |= {"payout": "0", "lines": [{**line, "release": "deferred"}]}
    await order(shop, 1)
    await shop.stage.accept(shop.retailer, "amazon", deferred)
    await shop.run()
    (taken,) = await shop.settle()

    assert (taken.proof.deferred, taken.journal) == (D("20.00"), None)
    assert await unsettled(shop, date(2026, 11, 25)) == []
    assert await unsettled(shop, date(2026, 11, 26)) == [
        ("deferred_overdue", "amazon/o-1", D("20.00"))
    ]

    released = settlement_event("19881")
    released["data"] |= {"lines": [{**line, "release": "deferred_released"}]}
    await shop.stage.accept(shop.retailer, "amazon", released)
    await shop.run()
    await shop.settle()

    assert await unsettled(shop, date(2026, 11, 26)) == []
    assert shop.books.balances("settlement") == {
        "cash_in_transit/amazon": D("20.00"),
        "marketplace_receivable": D("-20.00"),
    }


async def test_refunds_larger_than_sales_are_money_owed_to_the_marketplace(
    shop: FinanceShop,
) -> None:
    """E-F09. The payout is negative: it is booked as such, and the file is as good as any other."""
    await order(shop, 1)
    rows: list[Row] = [
        ("Order", "o-1", "ItemPrice", "Principal", "20.00"),
        ("Order", "o-1", "ItemFees", "Commission", "-3.00"),
        ("other-transaction", "", "other-transaction", "Subscription Fee", "-39.99"),
    ]

    await shop.arrive("payouts", "report.txt", as_tsv(rows).encode())
    await shop.run()
    (taken,) = await shop.settle()

    assert taken.matched.differences == ()
    assert shop.books.balances("settlement") == {
        "cash_in_transit/amazon": D("-22.99"),
        "fees_expense/selling_fee": D("3.00"),
        "fees_expense/subscription": D("39.99"),
        "marketplace_receivable": D("-20.00"),
    }


async def test_finance_reads_a_settlement_on_one_page(shop: FinanceShop, served: Served) -> None:
    await order(shop, 1)
    await shop.arrive("payouts", "report.txt", as_tsv(ROWS).encode())
    await shop.run()
    await shop.settle()
    key = await key_of(shop.stage, Role.RETAILER_STAFF, tenant_id=shop.retailer.tenant_id)

    (head,) = (await served.call("GET", "/v1/settlements", key)).json()["items"]
    page = (await served.call("GET", f"/v1/settlements/{head['id']}", key)).json()

    assert page["payout"] == {"amount": "36.00", "currency": "USD"}
    assert [(each["name"], each["amount"]["amount"]) for each in page["waterfall"]] == [
        ("opening_reserve", "0.00"),
        ("principal", "40.00"),
        ("selling_fee", "-3.00"),
        ("unclassified", "-1.00"),
        ("closing_reserve", "0.00"),
        ("payout", "36.00"),
    ]
    agreement = page["agreement"]
    assert (agreement["orders"], agreement["orders_agreed"]) == (2, 1)
    assert agreement["amount_agreed"] == {"amount": "23.00", "currency": "USD"}
    assert page["unexplained"] == {"amount": "20.00", "currency": "USD"}
    assert agreement["unexplained_bp"] == "5000.0"
    assert [(each["kind"], each["owner"]) for each in page["breaks"]] == [
        ("orphan_settlement", "finance"),
        ("unclassified", "finance"),
    ]
    (journal,) = page["journals"]
    assert (journal["state"], journal["evidence"]["records"]) == ("accepted", 4)
    assert {line["role"]: line["account"] for line in journal["lines"]}["cash_in_transit"] == "1090"

    wanted = {"kind": "orphan_settlement", "key": "amazon/o-2", "owner": "Ada"}
    refused = await served.call("POST", "/v1/breaks/assign", key, json=wanted)
    manager = await key_of(shop.stage, Role.RETAILER_ADMIN, tenant_id=shop.retailer.tenant_id)
    assigned = await served.call("POST", "/v1/breaks/assign", manager, json=wanted)

    assert refused.status_code == 403
    assert [each["owner"] for each in assigned.json()["items"]] == ["Ada"]


async def unsettled(shop: FinanceShop, today: date) -> list[tuple[str, str, Decimal | None]]:
    await tell_unsettled(shop.retailer.scope, shop.stage.database, today)
    kinds = {"missing_in_settlement", "deferred_overdue"}
    return [each for each in await breaks(shop) if each[0] in kinds]
