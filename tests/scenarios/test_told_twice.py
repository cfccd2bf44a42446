"""The same sale comes twice: under its own number, in another file, or under another number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.exceptions.release import release_hold
from app.intake.files import FileReceipt
from app.pipeline.old_traces import forget_old_traces
from tests.scenarios.test_till_files import Shops
from tests.scenarios.till_files import POSLOG, TillFile, own_file
from tests.scenarios.told import KeepingTarget
from tests.stage import Retailer, Stage, order_event

TICKETS = 40
SALE = "retail.till.sale.v1"
NOON = "2026-11-20T12:00:{:02d}+00:00"


@pytest.fixture
def shops(
    stage: Stage, target: KeepingTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shops:
    return Shops(stage, target, tmp_path, monkeypatch)


async def test_a_file_sent_again_under_another_name_is_one_line_of_duplicates(shops: Shops) -> None:
    """E-D11. All of it is known: one answer says so, and nothing is sent again."""
    file = own_file(TICKETS)
    shop = await shops.open(file)
    await shop.take(file)
    await shop.run()
    stored = await shop.messages()

    receipt = await shop.take(TillFile("copy-of-it.xml", file.content, POSLOG))

    assert isinstance(receipt, FileReceipt)
    assert (receipt.is_known, receipt.broken) == (True, 0)
    await shop.run()
    assert await shop.messages() == stored
    assert len(shop.target.bodies) == TICKETS


async def test_of_a_file_with_the_same_name_only_what_is_new_acts(shops: Shops) -> None:
    """E-D10. A file is known by its content, a ticket by its number."""
    whole = own_file(TICKETS)
    first = TillFile(whole.name, _without_last_tickets(whole, 5), POSLOG)
    shop = await shops.open(first)
    await shop.take(first)
    await shop.run()
    before = len(shop.target.bodies)

    receipt = await shop.take(whole)
    await shop.run()

    assert isinstance(receipt, FileReceipt)
    assert not receipt.is_known
    assert receipt.records - receipt.duplicates == 5
    assert (before, len(shop.target.bodies)) == (TICKETS - 5, TICKETS)


@pytest_asyncio.fixture
async def tills(stage: Stage, target: KeepingTarget) -> Retailer:
    """Tills that tell their sales one by one, and a shop that may be moved to another system."""
    retailer = await stage.retailer()
    for name in ("tills", "old shop", "new shop"):
        await stage.connect(retailer, name, "http")
    await stage.connect(retailer, "erp", "http", base_url=target.url)
    await stage.give_secret(retailer, "erp", ["signing_secret"])
    await stage.flow(retailer, "tills", "erp", types=[SALE])
    await stage.flow(retailer, "old shop", "erp")
    await stage.flow(retailer, "new shop", "erp")
    return retailer


def ticket(number: int, second: int, *, auth: str = "", lines: int = 2, **changes: Any) -> Any:
    """Write a ticket of the same goods; with an answer of the card terminal or paid in cash."""
    sold = {"title": "Scarf", "sku": "SKU-001", "quantity": "1", "unit_price": "10.00"}
    amount = f"{lines * 10}.00"
    paid = {"kind": "card" if auth else "cash", "name": "Paid", "amount": amount}
    told = {
        "kind": "pos",
        "placed_at": NOON.format(second),
        "store": "12",
        "workstation": "1",
        "sequence": str(number),
        "business_day": "2026-11-20",
        "lines": [
            {**sold, "line_id": str(line), "net": "10.00", "gross": "10.00"}
            for line in range(lines)
        ],
        "tenders": [{**paid, "reference": auth} if auth else paid],
    }
    event = order_event(number, total=amount, **{**told, **changes})
    return {**event, "id": f"t-{number}", "type": SALE, "time": NOON.format(second)}


async def tell(stage: Stage, retailer: Retailer, *tickets: Any) -> None:
    for each in tickets:
        await stage.accept(retailer, "tills", each)
    async with stage.engine():
        await stage.rests(retailer)


async def open_breaks(stage: Stage, retailer: Retailer) -> list[Any]:
    return await stage.rows(
        retailer,
        "select key, words, amount from break where kind = 'document.told_twice'"
        " and state = 'open' order by key",
    )


async def holds(stage: Stage, retailer: Retailer) -> list[Any]:
    return await stage.rows(
        retailer, "select id, code, pointer, words, amount from hold where state = 'open'"
    )


async def test_a_sale_told_again_under_another_number_waits_if_its_card_paid_once(
    stage: Stage, tills: Retailer, target: KeepingTarget
) -> None:
    """E-D06. The till was offline and sent its sales again."""
    await tell(stage, tills, ticket(1, 5, auth="A-1"), ticket(2, 45, auth="A-1"))

    (held,) = await holds(stage, tills)
    assert (held["code"], held["pointer"]) == ("document.told_twice", "/body/number")
    assert str(held["amount"]) == "20.000000"
    assert "with the same answer of the card terminal" in held["words"]
    assert target.numbers() == ["#1"]

    await release_hold(tills.scope, stage.database, held["id"], "Two sales.", lambda: None)
    await tell(stage, tills)
    assert target.numbers() == ["#1", "#2"]


async def test_a_sale_told_again_in_cash_counts_and_somebody_is_told(
    stage: Stage, tills: Retailer, target: KeepingTarget
) -> None:
    """E-D06. Cash proves nothing: both are posted, with a warning."""
    await tell(stage, tills, ticket(1, 5), ticket(2, 45))

    assert target.numbers() == ["#1", "#2"]
    (told,) = await open_breaks(stage, tills)
    assert (str(told["amount"]), "paid in cash. Both count." in told["words"]) == (
        "20.000000",
        True,
    )
    assert await holds(stage, tills) == []


@pytest.mark.parametrize(
    "second",
    [
        ticket(2, 45, auth="A-2"),
        ticket(2, 45, auth="A-1", store="13"),
        ticket(2, 45, auth="A-1", workstation="2"),
        ticket(2, 45, auth="A-1", lines=3),
        ticket(2, 5, auth="A-1") | {"time": "2026-11-20T12:02:06+00:00"},
    ],
    ids=["another card", "another store", "another till", "other goods", "two minutes later"],
)
async def test_what_only_looks_alike_is_a_sale_of_its_own(
    stage: Stage, tills: Retailer, target: KeepingTarget, second: Any
) -> None:
    if second["time"].startswith("2026-11-20T12:02"):
        second["data"]["placed_at"] = second["time"]
    await tell(stage, tills, ticket(1, 5, auth="A-1"), second)

    assert target.numbers() == ["#1", "#2"]
    assert (await holds(stage, tills), await open_breaks(stage, tills)) == ([], [])


async def test_what_tickets_are_compared_by_is_forgotten_after_a_week(
    stage: Stage, tills: Retailer, target: KeepingTarget
) -> None:
    await tell(stage, tills, ticket(1, 5, auth="A-1"), ticket(9, 5, auth="A-9", store="9"))
    await stage.write(
        tills,
        "insert into document_trace (tenant_id, content, object_id, label, occurred_at, seen_at)"
        " select tenant_id, content, 'old', label, occurred_at, now() - interval '8 days'"
        " from document_trace",
    )

    forgotten = await forget_old_traces(stage.database)

    assert forgotten == 2
    left = await stage.rows(tills, "select object_id from document_trace")
    assert "old" not in {row["object_id"] for row in left}
    assert len(left) == 2


async def test_one_coffee_after_another_is_no_suspicion(
    stage: Stage, tills: Retailer, target: KeepingTarget
) -> None:
    await tell(stage, tills, ticket(1, 5, lines=1), ticket(2, 45, lines=1))

    assert await open_breaks(stage, tills) == []


async def test_two_copies_in_one_batch_are_found_like_two_that_come_apart(
    stage: Stage, tills: Retailer, target: KeepingTarget
) -> None:
    await stage.accept(
        tills, "tills", *(ticket(number, 5 + number, auth="A-1") for number in (1, 2, 3))
    )
    await tell(stage, tills)

    assert target.numbers() == ["#1"]
    assert len(await holds(stage, tills)) == 2


async def test_a_number_of_the_old_shop_is_another_order_in_the_new_one(
    stage: Stage, tills: Retailer, target: KeepingTarget
) -> None:
    """E-D15. The shop was moved to another system, which counts from 1 again."""
    await stage.accept(tills, "old shop", order_event(1))
    await stage.accept(tills, "new shop", order_event(1))
    await tell(stage, tills)

    assert target.numbers() == ["#1", "#1"]
    assert await holds(stage, tills) == []


def _without_last_tickets(file: TillFile, count: int) -> bytes:
    content = file.content
    for piece in file.pieces()[-count:]:
        content = content.replace(piece, b"")
    return content
