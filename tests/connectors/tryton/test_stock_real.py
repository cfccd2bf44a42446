"""Stock read back from a real Tryton by polling."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from connectors.canonical.event import STOCK_POSITION
from connectors.canonical.stock import StockPosition
from connectors.catalog.tryton.local.launch import Running
from connectors.sdk.message import PolledRecord, RawMessage
from connectors.sdk.transport import NotSent
from infra import clock
from tests.connectors.tryton.real import CONNECTOR, Books, HttpTransport, line, rung_up, ticket
from tests.faultproxy import FaultProxy

pytestmark = pytest.mark.real


async def test_first_poll_tells_every_article_and_later_ones_what_moved(
    tryton: Running, transport: HttpTransport, books: Books
) -> None:
    first, cursor = await _poll_all({}, tryton, transport)
    sale = ticket(line("SKU-015", "4", "100.00"), tenders=(("card", "100.00"),))
    await CONNECTOR.send(rung_up(sale, tryton.settings), transport)

    later, moved_on = await _poll_all(cursor, tryton, transport)
    again, _ = await _poll_all(moved_on, tryton, transport)

    assert {one["sku"] for one in first} == {f"SKU-{n:03d}" for n in range(1, 21)} | {"APPLES"}
    on_hand = await books.on_hand("SKU-015")
    (told,) = [one for one in later if one["sku"] == "SKU-015"]
    assert Decimal(told["quantity"]) == on_hand
    assert (told["location"], told["uom"]) == ("main", "EA")
    assert told in again


async def test_same_change_found_twice_has_the_same_key(
    tryton: Running, transport: HttpTransport
) -> None:
    _, cursor = await _poll_all({}, tryton, transport)

    first = await CONNECTOR.poll("stock", cursor, tryton.settings, transport)
    second = await CONNECTOR.poll("stock", cursor, tryton.settings, transport)

    assert first.records == second.records


async def test_polled_record_reads_as_a_stock_position(
    tryton: Running, transport: HttpTransport
) -> None:
    page = await CONNECTOR.poll("stock", {}, tryton.settings, transport)
    (record,) = [one for one in page.records if json.loads(one.body)["sku"] == "SKU-020"]
    message = RawMessage(record.topic, record.body, clock.now())

    (event,) = CONNECTOR.read(message).events

    assert (event.type, event.key) == (STOCK_POSITION, "stock:main/SKU-020")
    assert isinstance(event.body, StockPosition)
    assert event.body.available == Decimal(100)


async def test_poll_that_fails_says_so_and_may_be_repeated(
    tryton: Running, transport: HttpTransport, proxy: FaultProxy
) -> None:
    proxy.add("status", r"product\.product", code=503)

    with pytest.raises(NotSent):
        await CONNECTOR.poll("stock", {}, tryton.settings, transport)

    page = await CONNECTOR.poll("stock", {}, tryton.settings, transport)
    assert len(page.records) == 21


async def _poll_all(
    cursor: dict[str, Any], tryton: Running, transport: HttpTransport
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    records: list[PolledRecord] = []
    while True:
        page = await CONNECTOR.poll("stock", cursor, tryton.settings, transport)
        records += page.records
        cursor = page.cursor
        if not page.has_more:
            return [json.loads(record.body) for record in records], cursor
