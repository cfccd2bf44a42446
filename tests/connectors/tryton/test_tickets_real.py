"""Till sales become posted POS sales of a real Tryton: one each, stock and money moved once."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from connectors.catalog.tryton.local.launch import Running
from connectors.sdk.outcome import Delivered, Duplicate, Found, Missing, Rejected, Unknown
from tests.connectors.tryton.real import CONNECTOR, Books, HttpTransport, line, rung_up, ticket
from tests.faultproxy import FaultProxy, Kind

pytestmark = pytest.mark.real


async def test_till_sale_with_split_tender_is_posted_once_and_takes_the_stock(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    before = await books.on_hand("SKU-010")
    sale = ticket(
        line("SKU-010", "2", "40.00", "8.00"),
        tenders=(("card", "30.01"), ("cash", "20.00"), ("change", "-2.01")),
    )

    outcome = await CONNECTOR.send(rung_up(sale, tryton.settings), transport)
    again = await CONNECTOR.send(rung_up(sale, tryton.settings, attempt=2), transport)

    assert isinstance(outcome, Delivered)
    assert again == Duplicate(outcome.reference)
    (booked,) = await books.tickets(Decimal("30.01"))
    assert (booked["state"], booked["total"], booked["total_tax"]) == (
        "posted",
        Decimal("48.00"),
        Decimal("8.00"),
    )
    paid = {one["method"]["name"]: one["amount"] for one in booked["payments"]}
    assert paid == {"Card": Decimal("30.01"), "Cash": Decimal("17.99")}
    assert booked["move"]["state"] == "posted"
    assert await books.on_hand("SKU-010") == before - 2


@pytest.mark.parametrize("kind", ["drop_after", "truncate", "drop_before"])
@pytest.mark.parametrize(
    "step", [r"/sale\.point\.sale\?", r"/ir\.attachment\?", r"/process\?", r"/post\?"]
)
async def test_lost_answer_leaves_exactly_one_posted_document(
    tryton: Running,
    transport: HttpTransport,
    proxy: FaultProxy,
    books: Books,
    kind: Kind,
    step: str,
) -> None:
    amount = _unused_amount(kind, step)
    before = await books.on_hand("SKU-011")
    sale = ticket(line("SKU-011", "1", str(amount)), tenders=(("card", str(amount)),))
    proxy.add(kind, step, "POST")

    first = await CONNECTOR.send(rung_up(sale, tryton.settings), transport)
    seen = await CONNECTOR.look_up(rung_up(sale, tryton.settings, attempt=2), transport)
    second = await CONNECTOR.send(rung_up(sale, tryton.settings, attempt=2), transport)

    assert isinstance(first, Unknown)
    finished = step == r"/post\?" and kind != "drop_before"
    assert isinstance(seen, Found if finished else Missing)
    assert isinstance(second, Duplicate if finished else Delivered)
    assert [one["state"] for one in await books.tickets(amount)] == ["posted"]
    assert await books.on_hand("SKU-011") == before - 1


@pytest.mark.parametrize("step", [r"/ir\.attachment\?", r"/process\?", r"/post\?"])
async def test_request_that_arrives_twice_posts_once(
    tryton: Running, transport: HttpTransport, proxy: FaultProxy, books: Books, step: str
) -> None:
    amount = _unused_amount("dup", step)
    before = await books.on_hand("SKU-012")
    sale = ticket(line("SKU-012", "1", str(amount)), tenders=(("cash", str(amount)),))
    proxy.add("dup", step, "POST")

    outcome = await CONNECTOR.send(rung_up(sale, tryton.settings), transport)

    assert isinstance(outcome, Delivered)
    assert [one["state"] for one in await books.tickets(amount)] == ["posted"]
    assert await books.on_hand("SKU-012") == before - 1


async def test_doubled_creation_posts_one_and_the_next_equal_sale_takes_the_other(
    tryton: Running, transport: HttpTransport, proxy: FaultProxy, books: Books
) -> None:
    sales = [ticket(line("SKU-012", "1", "77.01"), tenders=(("cash", "77.01"),)) for _ in range(2)]
    proxy.add("dup", r"/sale\.point\.sale\?", "POST")

    outcomes = [await CONNECTOR.send(rung_up(one, tryton.settings), transport) for one in sales]

    assert all(isinstance(one, Delivered) for one in outcomes)
    booked = await books.tickets(Decimal("77.01"))
    assert [one["state"] for one in booked] == ["posted", "posted"]


async def test_workers_with_the_same_till_sale_leave_exactly_one_document(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    sale = ticket(line("SKU-013", "1", "79.01"), tenders=(("cash", "79.01"),))
    sends = (CONNECTOR.send(rung_up(sale, tryton.settings), transport) for _ in range(3))

    outcomes = await asyncio.gather(*sends)
    last = await CONNECTOR.send(rung_up(sale, tryton.settings, attempt=2), transport)

    assert not [one for one in outcomes if isinstance(one, Rejected)]
    assert isinstance(last, Delivered | Duplicate)
    assert [one["state"] for one in await books.tickets(Decimal("79.01"))] == ["posted"]


async def test_equal_till_sales_are_two_documents(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    sales = [ticket(line("SKU-013", "1", "78.01"), tenders=(("cash", "78.01"),)) for _ in range(2)]

    outcomes = [await CONNECTOR.send(rung_up(one, tryton.settings), transport) for one in sales]

    references = {one.reference for one in outcomes if isinstance(one, Delivered)}
    assert len(references) == 2
    assert len(await books.tickets(Decimal("78.01"))) == 2


async def test_return_for_cash_puts_the_goods_back(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    before = await books.on_hand("SKU-014")
    sale = ticket(line("SKU-014", "-1", "-24.00", "-4.80"), tenders=(("cash", "-28.80"),))

    outcome = await CONNECTOR.send(rung_up(sale, tryton.settings), transport)

    assert isinstance(outcome, Delivered)
    (booked,) = await books.tickets(Decimal("-28.80"))
    assert (booked["total"], booked["total_tax"]) == (Decimal("-28.80"), Decimal("-4.80"))
    assert await books.on_hand("SKU-014") == before + 1


async def test_return_to_a_card_is_posted_with_the_refund_as_a_line(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    before = await books.on_hand("SKU-014")
    sale = ticket(line("SKU-014", "-1", "-24.00", "-4.80"), tenders=(("card", "-28.80"),))

    outcome = await CONNECTOR.send(rung_up(sale, tryton.settings), transport)

    assert isinstance(outcome, Delivered)
    assert await books.on_hand("SKU-014") == before + 1
    found = await CONNECTOR.look_up(rung_up(sale, tryton.settings), transport)
    assert found == Found(outcome.reference)


async def test_weighed_goods_unknown_items_and_rounding_keep_the_tills_total(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    before = await books.on_hand("APPLES")
    sale = ticket(
        line("APPLES", "1.275", "4.08", "0.82"),
        line("NO-SUCH", "1", "5.00", "1.00", title="Hat"),
        tenders=(("cash", "10.85"),),
        rounding=Decimal("-0.05"),
    )

    outcome = await CONNECTOR.send(rung_up(sale, tryton.settings), transport)

    assert isinstance(outcome, Delivered)
    (booked,) = await books.tickets(Decimal("10.85"))
    assert (booked["total"], booked["total_tax"]) == (Decimal("10.85"), Decimal("1.82"))
    codes = [one["product"]["code"] for one in booked["lines"]]
    assert codes == ["APPLES", "UNMAPPED", "UNMAPPED"]
    assert await books.on_hand("APPLES") == before - Decimal("1.275")


async def test_sale_of_unknown_items_only_is_posted_with_its_tax(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    sale = ticket(line(None, "1", "90.00", "7.43", title="Gift"), tenders=(("wallet", "97.43"),))

    outcome = await CONNECTOR.send(rung_up(sale, tryton.settings), transport)

    assert isinstance(outcome, Delivered)
    (booked,) = await books.tickets(Decimal("97.43"))
    assert (booked["state"], booked["total_tax"]) == ("posted", Decimal("7.43"))
    assert [one["method"]["name"] for one in booked["payments"]] == ["Other"]


async def test_tenders_that_do_not_come_to_the_total_are_rejected_untouched(
    tryton: Running, transport: HttpTransport
) -> None:
    sale = ticket(line("SKU-001", "1", "11.00", "2.20"), tenders=(("cash", "13.00"),))

    outcome = await CONNECTOR.send(rung_up(sale, tryton.settings), transport)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.pointer) == ("order.totals_differ", "/tenders")
    assert transport.calls == []


def _unused_amount(*parts: str) -> Decimal:
    """Give each case an amount of its own, by which its document is found."""
    number = sum((index + 1) * ord(letter) for index, letter in enumerate("".join(parts)))
    return Decimal(number) / 100 + 100
