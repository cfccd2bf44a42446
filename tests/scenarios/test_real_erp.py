"""Shop and tills to a real ERP over a line that loses, doubles and holds back answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from app.intake.files import receive_file
from connectors.catalog.pos_files.emulator import TillFleet, TillItem, as_text
from connectors.catalog.shopify.emulator.orders import place_order
from connectors.catalog.tryton.local.launch import Running
from infra import clock
from infra.embedded.servers import Servers
from tests.app.api.served import Served
from tests.faultproxy import Kind
from tests.scenarios.erp import PACE, SALE_CREATED, ErpShop, WorkerProcess, open_erp_shop
from tests.scenarios.patience import until
from tests.scenarios.till_files import in_chunks
from tests.stage import Stage

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture
async def erp(stage: Stage, tryton: Running) -> AsyncIterator[ErpShop]:
    async with open_erp_shop(stage, tryton) as opened:
        yield opened


@pytest.mark.parametrize("trouble", [None, "drop_before", "drop_after", "hang", "truncate", "dup"])
async def test_an_order_from_the_web_shop_is_one_sale_whatever_happens_to_its_answer(
    erp: ErpShop, served: Served, trouble: Kind | None
) -> None:
    await erp.stage.flow(erp.retailer, "shop", "erp", action="create_order")
    if trouble is not None:
        erp.proxy.add(trouble, SALE_CREATED, "POST")

    order = await _sell(erp, served, number=_number(trouble))
    async with erp.stage.engine(**PACE):
        await erp.stage.rests(erp.retailer, at_most_s=60)

    await _is_booked_once(erp, order)
    assert [fault for fault, _, _ in erp.proxy.log] == ([trouble] if trouble else [])


async def test_an_order_is_one_sale_though_its_worker_is_killed_after_the_erp_booked_it(
    erp: ErpShop,
    served: Served,
    servers: Servers,
    database_urls: tuple[str, str],
    tmp_path: Path,
) -> None:
    await erp.stage.flow(erp.retailer, "shop", "erp", action="create_order")
    erp.proxy.add("hang", SALE_CREATED, "POST")
    order = await _sell(erp, served, number=_number("killed"))

    first = WorkerProcess(servers, database_urls[1], tmp_path / "first.log")
    try:
        await _until_booked(erp, order["name"])
    finally:
        first.kill()
    (before,) = await erp.stage.rows(erp.retailer, "select state, crash_count from delivery")
    second = WorkerProcess(servers, database_urls[1], tmp_path / "second.log")
    try:
        await erp.stage.rests(erp.retailer, at_most_s=60)
    finally:
        second.stop()

    assert before == {"state": "delivering", "crash_count": 1}
    await _is_booked_once(erp, order)


async def test_a_doubled_webhook_is_one_message_and_one_sale(erp: ErpShop, served: Served) -> None:
    await erp.stage.flow(erp.retailer, "shop", "erp", action="create_order")
    erp.shop.faults.duplicate_webhooks = 1

    order = await _sell(erp, served, number=_number("webhook"), posts=2)
    async with erp.stage.engine(**PACE):
        await erp.stage.rests(erp.retailer, at_most_s=60)

    await _is_booked_once(erp, order)
    assert [entry["status"] for entry in erp.shop.log if entry["kind"] == "webhook"] == [202, 200]


async def test_till_sales_change_the_erps_stock_and_the_web_shop_shows_it(erp: ErpShop) -> None:
    sale = ["retail.till.sale.v1"]
    await erp.stage.flow(erp.retailer, "tills", "erp", types=sale, action="create_ticket")
    await erp.stage.flow(
        erp.retailer,
        "erp",
        "shop",
        types=["retail.stock.position.v1"],
        action="set_stock",
        ordering="latest_wins",
        class_=1,
    )
    before = await erp.quantities()
    tickets, sold = _tickets(5)

    async with erp.stage.engine(**PACE), erp.polled():
        await _until_equal(erp, before)
        await receive_file(
            erp.retailer.scope,
            erp.stage.files,
            erp.retailer.connections["tills"],
            "day.xml",
            in_chunks(tickets),
        )
        expected = {sku: left - sold.get(sku, Decimal(0)) for sku, left in before.items()}
        await _until_equal(erp, expected)

    assert await erp.quantities() == expected
    assert erp.shown() == expected
    ledger = await erp.stage.ledger(erp.retailer)
    assert ledger.unaccounted == 0
    held = await erp.stage.rows(erp.retailer, "select label from hold where state = 'open'")
    # Apples are weighed; a web shop that counts pieces cannot show them, and nothing else waits.
    assert {row["label"] for row in held} <= {"Stock of APPLES at main"}
    rows = await erp.stage.rows(
        erp.retailer,
        "select d.state from delivery d join event e on e.id = d.event_id"
        " where e.type = 'retail.till.sale.v1'",
    )
    assert [row["state"] for row in rows] == ["delivered"] * 5


def _number(name: object) -> str:
    """Name an order so that no other run of this ERP has it."""
    return f"#{name}-{clock.unix_s()}"


async def _sell(erp: ErpShop, served: Served, *, number: str, posts: int = 1) -> dict[str, Any]:
    """Let a customer buy; returns when the shop has got rid of its webhook."""
    order = place_order(erp.shop)
    assert order is not None
    # The shop's counter starts anew in each test; the ERP's books do not.
    topic, body, webhook_id = erp.shop.outbox.pop()
    body = body.replace(order["name"].encode(), number.encode())
    order_id = clock.now().strftime("%Y%m%d%H%M%S%f")
    body = body.replace(str(order["id"]).encode(), order_id.encode())
    erp.shop.outbox.append((topic, body, webhook_id))
    erp.shop.hook_url = served.url + await erp.hook()

    async def is_told() -> bool:
        told = [entry for entry in erp.shop.log if entry["kind"] == "webhook"]
        return len(told) >= posts

    await until(is_told, "the shop got rid of its webhook")
    return {**order, "name": number}


async def _is_booked_once(erp: ErpShop, order: dict[str, Any]) -> None:
    (sale,) = await erp.sales(order["name"])
    assert sale["state"] == "processing"
    assert sale["total_amount"] == Decimal(order["total_price"])
    (delivery,) = await erp.stage.rows(
        erp.retailer, "select state, external_ref, code from delivery"
    )
    assert (delivery["state"], delivery["code"]) == ("delivered", "")
    assert delivery["external_ref"] != ""
    ledger = await erp.stage.ledger(erp.retailer)
    (of_shop,) = [line.balance for line in ledger.lines if line.name == "shop"]
    assert (of_shop.accepted, of_shop.fates) == (1, {"delivered": 1})
    assert ledger.unaccounted == 0


async def _until_booked(erp: ErpShop, number: str) -> None:
    async def is_booked() -> bool:
        return bool(await erp.sales(number))

    await until(is_booked, f"the ERP has {number}", at_most_s=60)


async def _until_equal(erp: ErpShop, expected: dict[str, Decimal]) -> None:
    async def is_equal() -> bool:
        return erp.shown() == expected

    await until(is_equal, "the web shop shows what the ERP has", at_most_s=90)


def _tickets(count: int) -> tuple[bytes, dict[str, Decimal]]:
    """Write some tickets of today, and say how much of each article they sold."""
    items = [TillItem(f"SKU-{n:03}", f"Article {n:03}", Decimal(10 + n)) for n in range(1, 21)]
    # Another store in each run: tickets of an earlier one stand in the same books.
    store = str(clock.unix_s())
    fleet = TillFleet(seed=3, items=items, stores=[store], return_share_0_1=0.0)
    opening = datetime.combine(clock.now().date(), datetime.min.time()).replace(hour=9)
    tickets = list(islice(fleet.tickets(opening), count))
    sold: dict[str, Decimal] = {}
    for line in (line for ticket in tickets for line in ticket.lines):
        sold[line.item.sku] = sold.get(line.item.sku, Decimal(0)) + line.quantity
    return as_text(tickets, "poslog_ncr").encode(), sold
