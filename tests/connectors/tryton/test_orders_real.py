"""Web orders become sales of a real Tryton: one each, with the shop's totals."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from connectors.canonical.order import Tax
from connectors.catalog.tryton.local.launch import Running
from connectors.sdk.outcome import (
    AuthorizationLost,
    Delivered,
    Duplicate,
    Found,
    Missing,
    NotYet,
    Rejected,
    RetryLater,
    Unknown,
)
from tests.connectors.tryton.real import (
    CONNECTOR,
    Books,
    HttpTransport,
    called_off,
    customer,
    line,
    placed,
    web_order,
)
from tests.faultproxy import FaultProxy, Kind

pytestmark = pytest.mark.real


async def test_order_becomes_one_sale_invoice_and_shipment_with_equal_totals(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    order = web_order(line("SKU-001", "3", "33.00", "6.60"))

    outcome = await CONNECTOR.send(placed(order, tryton.settings), transport)

    assert isinstance(outcome, Delivered)
    (sale,) = await books.sales(order)
    assert sale["state"] == "processing"
    assert (sale["untaxed_amount"], sale["tax_amount"]) == (Decimal("33.00"), Decimal("6.60"))
    assert [one["total_amount"] for one in sale["invoices"]] == [Decimal("39.60")]
    assert [one["state"] for one in sale["shipments"]] == ["waiting"]
    assert sale["lines"][0]["product"]["code"] == "SKU-001"


async def test_order_sent_again_is_a_duplicate_and_look_up_finds_it(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    order = web_order(line("SKU-002", "1", "12.00", "2.40"))
    before = await CONNECTOR.look_up(placed(order, tryton.settings), transport)
    first = await CONNECTOR.send(placed(order, tryton.settings), transport)

    second = await CONNECTOR.send(placed(order, tryton.settings, attempt=2), transport)

    assert isinstance(before, Missing)
    assert isinstance(first, Delivered)
    assert second == Duplicate(first.reference)
    found = await CONNECTOR.look_up(placed(order, tryton.settings), transport)
    assert found == Found(first.reference)
    assert len(await books.sales(order)) == 1


@pytest.mark.parametrize("kind", ["drop_after", "truncate", "drop_before"])
@pytest.mark.parametrize("step", [r"/sale\.sale\?", r"/quote\?", r"/confirm\?"])
async def test_lost_answer_leaves_exactly_one_sale(
    tryton: Running,
    transport: HttpTransport,
    proxy: FaultProxy,
    books: Books,
    kind: Kind,
    step: str,
) -> None:
    order = web_order(line("SKU-003", "2", "26.00", "5.20"))
    proxy.add(kind, step, "POST")

    first = await CONNECTOR.send(placed(order, tryton.settings), transport)
    seen = await CONNECTOR.look_up(placed(order, tryton.settings, attempt=2), transport)
    second = await CONNECTOR.send(placed(order, tryton.settings, attempt=2), transport)

    assert [fault for fault, _, _ in proxy.log] == [kind]
    assert isinstance(first, Unknown)
    finished = step == r"/confirm\?" and kind != "drop_before"
    assert isinstance(seen, Found if finished else Missing)
    assert isinstance(second, Duplicate if finished else Delivered)
    (sale,) = await books.sales(order)
    assert (sale["state"], sale["total_amount"]) == ("processing", Decimal("31.20"))
    assert len(sale["invoices"]) == 1


async def test_hanging_answer_is_unknown_and_the_repeat_finishes_the_same_sale(
    tryton: Running, transport: HttpTransport, proxy: FaultProxy, books: Books
) -> None:
    order = web_order(line("SKU-003", "1", "13.00", "2.60"))
    proxy.add("hang", r"/sale\.sale\?", "POST")

    first = await CONNECTOR.send(placed(order, tryton.settings), transport)
    second = await CONNECTOR.send(placed(order, tryton.settings, attempt=2), transport)

    assert isinstance(first, Unknown)
    assert isinstance(second, Delivered)
    assert len(await books.sales(order)) == 1


@pytest.mark.parametrize("step", [r"/sale\.sale\?", r"/quote\?", r"/confirm\?"])
async def test_request_that_arrives_twice_leaves_exactly_one_sale(
    tryton: Running, transport: HttpTransport, proxy: FaultProxy, books: Books, step: str
) -> None:
    order = web_order(line("SKU-004", "1", "14.00", "2.80"))
    proxy.add("dup", step, "POST")

    outcome = await CONNECTOR.send(placed(order, tryton.settings), transport)

    assert isinstance(outcome, Delivered)
    (sale,) = await books.sales(order)
    assert len(sale["invoices"]) == 1
    assert len(sale["shipments"]) == 1


async def test_two_workers_with_the_same_order_leave_exactly_one_sale(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    order = web_order(line("SKU-004", "1", "14.00", "2.80"), customer=customer("c-race"))
    sends = (CONNECTOR.send(placed(order, tryton.settings), transport) for _ in range(2))

    await asyncio.gather(*sends)
    last = await CONNECTOR.send(placed(order, tryton.settings, attempt=2), transport)

    assert isinstance(last, Delivered | Duplicate)
    (sale,) = await books.sales(order)
    assert (sale["state"], sale["total_amount"]) == ("processing", Decimal("16.80"))


async def test_two_orders_of_one_new_customer_at_once_share_one_party(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    orders = [
        web_order(line("SKU-005", "1", "15.00", "3.00"), customer=customer("c-7")) for _ in range(3)
    ]

    sends = (CONNECTOR.send(placed(order, tryton.settings), transport) for order in orders)
    outcomes = await asyncio.gather(*sends)
    again = [
        await CONNECTOR.send(placed(order, tryton.settings, attempt=2), transport)
        for order in orders
    ]

    assert not [one for one in outcomes if isinstance(one, Rejected)]
    assert all(isinstance(one, Delivered | Duplicate) for one in again)
    parties = await books.api().search("party.party", [["code", "=", "C-c-7"]], ("addresses",))
    assert len(parties) == 1
    assert [(await books.sales(one))[0]["party"]["code"] for one in orders] == ["C-c-7"] * 3


async def test_unknown_sku_is_booked_as_a_line_without_product(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    order = web_order(line("NO-SUCH", "2", "10.00", "2.00", title="Blue hat"))

    outcome = await CONNECTOR.send(placed(order, tryton.settings), transport)

    assert isinstance(outcome, Delivered)
    (sale,) = await books.sales(order)
    assert sale["total_amount"] == Decimal("12.00")
    assert sale["lines"][0]["product"] is None
    assert sale["lines"][0]["description"] == "Blue hat (unknown SKU NO-SUCH)"


async def test_discount_shipping_fees_and_rounding_reach_the_total(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    discounted = line("SKU-001", "3", "29.70", "5.94", unit_price="11.00", discount="3.30")
    order = web_order(
        discounted,
        shipping=Decimal("6.00"),
        shipping_taxes=(Tax(name="VAT", rate=Decimal("0.2"), amount=Decimal("1.00")),),
        fees=Decimal("0.50"),
        rounding=Decimal("-0.04"),
    )

    outcome = await CONNECTOR.send(placed(order, tryton.settings), transport)

    assert isinstance(outcome, Delivered)
    (sale,) = await books.sales(order)
    assert sale["total_amount"] == order.total == Decimal("42.10")
    assert sale["tax_amount"] == Decimal("6.94")
    assert [one["total_amount"] for one in sale["invoices"]] == [Decimal("42.10")]


async def test_tax_inclusive_prices_keep_the_shops_tax_to_the_cent(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    # Three times 9.99 with tax inside: the shop rounds per line (3 x 1.67), Tryton per document.
    lines = [line(f"SKU-00{n}", "1", "8.32", "1.67") for n in (1, 2, 3)]
    order = web_order(*lines, tax_inclusive=True)

    outcome = await CONNECTOR.send(placed(order, tryton.settings), transport)

    assert isinstance(outcome, Delivered)
    (sale,) = await books.sales(order)
    assert (sale["tax_amount"], sale["total_amount"]) == (Decimal("5.01"), Decimal("29.97"))
    assert [one["tax_amount"] for one in sale["invoices"]] == [Decimal("5.01")]
    assert "Tax as charged by the shop" in [one["description"] for one in sale["lines"]]


async def test_tax_of_an_unmapped_rate_is_carried_visibly(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    order = web_order(line("SKU-001", "1", "11.00", "0.91", rate="0.0825"))

    outcome = await CONNECTOR.send(placed(order, tryton.settings), transport)

    assert isinstance(outcome, Delivered)
    (sale,) = await books.sales(order)
    assert (sale["tax_amount"], sale["total_amount"]) == (Decimal("0.91"), Decimal("11.91"))


async def test_tax_far_from_the_mapped_rate_is_rejected_and_nothing_is_booked(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    order = web_order(line("SKU-001", "1", "11.00", "1.00"))

    outcome = await CONNECTOR.send(placed(order, tryton.settings), transport)

    assert isinstance(outcome, Rejected)
    assert outcome.code == "tax.differs"
    assert outcome.words.startswith("The shop charged 1.00 tax, Tryton computes 2.20.")
    assert [sale["state"] for sale in await books.sales(order)] == ["draft"]


async def test_large_quantity_is_cut_so_that_the_amount_stays_exact(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    order = web_order(line("SKU-006", "1500", "1000.00", "200.00"))

    outcome = await CONNECTOR.send(placed(order, tryton.settings), transport)

    assert isinstance(outcome, Delivered)
    (sale,) = await books.sales(order)
    assert sale["untaxed_amount"] == Decimal("1000.00")
    assert sum(one["quantity"] for one in sale["lines"]) == 1500


async def test_order_that_does_not_add_up_or_is_in_foreign_money_is_rejected_untouched(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    wrong = web_order(line("SKU-001", "1", "11.00", "2.20"), total=Decimal("13.00"))
    foreign = web_order(line("SKU-001", "1", "11.00", "2.20"), currency="EUR")

    outcomes = [
        await CONNECTOR.send(placed(o, tryton.settings), transport) for o in (wrong, foreign)
    ]

    codes = [one.code for one in outcomes if isinstance(one, Rejected)]
    assert codes == ["order.totals_differ", "currency.differs"]
    assert transport.calls == []
    assert [await books.sales(order) for order in (wrong, foreign)] == [[], []]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (423, RetryLater),
        (429, RetryLater),
        (503, RetryLater),
        (401, AuthorizationLost),
        (502, Unknown),
    ],
)
async def test_each_status_means_one_outcome(
    tryton: Running, transport: HttpTransport, proxy: FaultProxy, code: int, expected: type
) -> None:
    order = web_order(line("SKU-001", "1", "11.00", "2.20"))
    proxy.add("status", r"/sale\.sale\?", "POST", code=code, headers="retry-after: 7\r\n")

    outcome = await CONNECTOR.send(placed(order, tryton.settings), transport)

    assert type(outcome) is expected
    if isinstance(outcome, RetryLater):
        assert outcome.after_s == 7


async def test_wrong_key_is_authorization_lost(tryton: Running, proxy: FaultProxy) -> None:
    order = web_order(line("SKU-001", "1", "11.00", "2.20"))

    async with HttpTransport(proxy.base_url, "wrong") as stranger:
        outcome = await CONNECTOR.send(placed(order, tryton.settings), stranger)

    assert isinstance(outcome, AuthorizationLost)


async def test_refusal_carries_trytons_own_words(tryton: Running, transport: HttpTransport) -> None:
    order = web_order(line("SKU-001", "1.5", "16.50", "3.30"))

    outcome = await CONNECTOR.send(placed(order, tryton.settings), transport)

    assert isinstance(outcome, Rejected)
    assert outcome.status == 400
    assert outcome.words.startswith("Tryton says: The number of digits in the value")


async def test_cancelled_order_ends_with_nothing_to_ship_and_nothing_to_pay(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    order = web_order(line("SKU-007", "2", "34.00", "6.80"))
    too_early = await CONNECTOR.send(called_off(order, tryton.settings), transport)
    await CONNECTOR.send(placed(order, tryton.settings), transport)
    before = await CONNECTOR.look_up(called_off(order, tryton.settings), transport)

    outcome = await CONNECTOR.send(called_off(order, tryton.settings), transport)
    again = await CONNECTOR.send(called_off(order, tryton.settings, attempt=2), transport)

    assert isinstance(too_early, NotYet)
    assert isinstance(before, Missing)
    assert isinstance(outcome, Delivered)
    assert again == Duplicate(outcome.reference)
    (sale,) = await books.sales(order)
    assert {one["state"] for one in (*sale["shipments"], *sale["invoices"])} == {"cancelled"}
