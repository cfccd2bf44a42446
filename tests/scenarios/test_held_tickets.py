"""What a person does about a ticket that waits, and who waits with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.exceptions.content import Edit
from app.exceptions.discard import discard_hold
from app.exceptions.edit import EditParts, edit_hold
from app.exceptions.release import release_hold
from tests.scenarios.test_till_files import Shops
from tests.scenarios.till_files import POSLOG, TillFile, damaged, own_file
from tests.scenarios.till_shop import TillShop
from tests.scenarios.told import KeepingTarget
from tests.stage import Stage

TICKETS = 60


@pytest.fixture
def shops(
    stage: Stage, target: KeepingTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shops:
    return Shops(stage, target, tmp_path, monkeypatch)


async def test_a_ticket_edited_by_a_person_arrives_and_all_money_is_there(shops: Shops) -> None:
    file = own_file(TICKETS)
    shop = await shops.open(file)
    broken = damaged(file, every=TICKETS)
    await shop.take(broken.file)
    await shop.run()
    (hold,) = await shop.holds()
    (victim,) = [piece for piece in file.sold() if piece not in broken.good]

    await edit_hold(
        shop.retailer.scope,
        EditParts(shop.stage.database, shop.stage.vault, lambda: None),
        hold["id"],
        Edit(reason="corrected with the paper receipt", body=victim),
    )
    await shop.run()

    assert shop.target.paid() == file.paid(file.sold())
    books = await shop.stage.ledger(shop.retailer)
    assert books.total.fates == {"delivered": TICKETS}
    assert (books.total.held, books.unaccounted) == (0, 0)


async def test_a_discarded_ticket_reaches_nobody_and_the_books_say_so(shops: Shops) -> None:
    file = own_file(TICKETS)
    shop = await shops.open(file)
    broken = damaged(file, every=TICKETS)
    await shop.take(broken.file)
    await shop.run()
    (hold,) = await shop.holds()

    await discard_hold(
        shop.retailer.scope, shop.stage.database, hold["id"], "till was in training", lambda: None
    )
    await shop.run()

    assert shop.target.paid() == file.paid(broken.good)
    books = await shop.stage.ledger(shop.retailer)
    assert books.total.fates == {"delivered": TICKETS - 1, "discarded": 1}
    assert books.unaccounted == 0


async def test_a_ticket_with_a_reused_number_is_used_once_a_person_vouches_for_it(
    shops: Shops,
) -> None:
    file = own_file(4)
    first, second = file.pieces()[:2]
    again = second.replace(
        f"<SequenceNumber>{file.number(second)}<".encode(),
        f"<SequenceNumber>{file.number(first)}<".encode(),
        1,
    )
    for name in (b"RetailStoreID", b"WorkstationID"):
        again = again.replace(_element(name, second), _element(name, first), 1)
    shop = await shops.open(file)
    await shop.take(TillFile(file.name, file.content.replace(second, again), POSLOG))
    await shop.run()
    (hold,) = await shop.holds()
    assert hold["code"] == "ticket.number_reused"

    await _release(shop, hold)
    await shop.run()

    assert await shop.holds() == []
    assert shop.target.paid() == file.paid(file.sold())


async def test_a_ticket_the_target_refuses_stops_its_own_till_only_and_order_is_kept(
    shops: Shops,
) -> None:
    file = own_file(TICKETS)
    shop = await shops.open(file)
    mine = file.till(file.pieces()[0])
    of_till = [piece for piece in file.pieces() if file.till(piece) == mine]
    others = [piece for piece in file.pieces() if file.till(piece) != mine]
    refused = of_till[1]
    await _refuse(shop, file, refused)
    await shop.take(file)
    await shop.run()
    before = shop.numbers_by_till()
    (hold,) = await shop.holds()

    await discard_hold(
        shop.retailer.scope, shop.stage.database, hold["id"], "booked by hand", lambda: None
    )
    await shop.run()

    assert before[mine] == [file.number(of_till[0])]
    assert sum(len(numbers) for numbers in before.values()) == 1 + len(others)
    expected = [file.number(piece) for piece in of_till if piece != refused]
    assert shop.numbers_by_till()[mine] == expected
    assert (hold["code"], hold["pointer"]) == ("target.refused", "/data/number")
    books = await shop.stage.ledger(shop.retailer)
    assert books.total.fates == {"delivered": TICKETS - 1, "discarded": 1}
    assert books.unaccounted == 0


async def test_a_ticket_the_target_refused_goes_first_when_it_is_released(shops: Shops) -> None:
    file = own_file(TICKETS)
    shop = await shops.open(file)
    mine = file.till(file.pieces()[0])
    of_till = [piece for piece in file.pieces() if file.till(piece) == mine]
    await _refuse(shop, file, of_till[0])
    await shop.take(file)
    await shop.run()
    (hold,) = await shop.holds()
    shop.target.refused.clear()

    await _release(shop, hold)
    await shop.run()

    assert shop.numbers_by_till()[mine] == [file.number(piece) for piece in of_till]
    assert shop.target.paid() == file.paid(file.sold())
    assert (await shop.stage.ledger(shop.retailer)).unaccounted == 0


async def test_an_unreadable_ticket_does_not_stop_later_tickets_of_its_till(shops: Shops) -> None:
    file = own_file(TICKETS)
    shop = await shops.open(file)
    broken = damaged(file, every=TICKETS)
    (victim,) = [piece for piece in file.sold() if piece not in broken.good]

    await shop.take(broken.file)
    await shop.run()

    mine = [piece for piece in broken.good if file.till(piece) == file.till(victim)]
    told = [file.number(piece) for piece in mine]
    assert shop.numbers_by_till()[file.till(victim)] == told


async def test_a_file_in_a_wrong_encoding_is_read_after_the_encoding_was_chosen(
    shops: Shops,
) -> None:
    file = own_file(20)
    content = file.content.replace(b"Own article 1<", "Cafés 1<".encode("cp1252"))
    assert content != file.content
    file = TillFile(file.name, content, POSLOG)
    shop = await shops.open(file)
    await shop.take(file)
    await shop.run()
    (hold,) = await shop.holds()
    assert (hold["code"], shop.target.bodies) == ("file.encoding", [])

    await _set(shop, {**POSLOG, "encoding": "windows-1252"})
    await shop.take(file)
    await discard_hold(
        shop.retailer.scope, shop.stage.database, hold["id"], "read again", lambda: None
    )
    await shop.run()

    assert shop.target.paid() == file.paid(file.sold())
    books = await shop.stage.ledger(shop.retailer)
    assert books.total.fates == {"delivered": 20, "discarded": 1}
    assert books.unaccounted == 0


def _element(name: bytes, piece: bytes) -> bytes:
    start = piece.index(b"<" + name + b">")
    return piece[start : piece.index(b"</" + name + b">", start)]


async def _refuse(shop: TillShop, file: TillFile, piece: bytes) -> None:
    """Let the target refuse one ticket; numbers repeat between tills, so it looks at both."""
    shop.target.refused.add(f"{file.till(piece)}|{file.number(piece)}")


async def _release(shop: TillShop, hold: dict[str, Any]) -> None:
    await release_hold(
        shop.retailer.scope, shop.stage.database, hold["id"], "compared both", lambda: None
    )


async def _set(shop: TillShop, settings: dict[str, Any]) -> None:
    tills = shop.retailer.connections["tills"]
    await shop.stage.rows(
        shop.retailer,
        "update connection set settings = $2::jsonb where id = $1 returning id",
        tills,
        json.dumps(settings),
    )
    shop.stage.connections.forget(shop.retailer.tenant_id, tills)
