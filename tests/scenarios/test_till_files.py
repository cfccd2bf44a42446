"""Till files from file to target: all money arrives, nothing twice, a broken ticket waits alone."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.till_files import Broken, TillFile, damaged, own_file, sample, samples
from tests.scenarios.till_shop import TillShop, Way, open_till_shop
from tests.scenarios.told import KeepingTarget
from tests.stage import Stage

both_ways = pytest.mark.parametrize("way", ["sent", "folder"])
real_files = pytest.mark.parametrize(("folder", "name", "settings"), samples())
own_files = pytest.mark.parametrize("dialect", ["poslog_ncr", "tlog_csv"])


class Shops:
    """Opens till shops in the test's own folder."""

    def __init__(
        self, stage: Stage, target: KeepingTarget, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._parts = (stage, target, folder)
        self._monkeypatch = monkeypatch

    async def open(self, file: TillFile) -> TillShop:
        return await open_till_shop(*self._parts, file.settings, self._monkeypatch)


@pytest.fixture
def shops(
    stage: Stage, target: KeepingTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shops:
    return Shops(stage, target, tmp_path, monkeypatch)


@both_ways
@real_files
async def test_every_ticket_of_a_real_file_arrives_once_with_all_its_money(
    shops: Shops, folder: str, name: str, settings: dict[str, Any], way: Way
) -> None:
    await _all_arrives_once(shops, sample(folder, name, settings), way)


@both_ways
@own_files
async def test_every_ticket_of_an_own_file_arrives_once_with_all_its_money(
    shops: Shops, dialect: str, way: Way
) -> None:
    await _all_arrives_once(shops, own_file(300, dialect), way)


@both_ways
@real_files
async def test_broken_tickets_of_a_real_file_wait_alone_and_all_others_arrive(
    shops: Shops, folder: str, name: str, settings: dict[str, Any], way: Way
) -> None:
    every = 10 if settings["dialect"] == "poslog_ncr" else 40
    await _only_broken_wait(shops, sample(folder, name, settings), way, every)


@both_ways
@own_files
async def test_broken_tickets_of_an_own_file_wait_alone_and_all_others_arrive(
    shops: Shops, dialect: str, way: Way
) -> None:
    await _only_broken_wait(shops, own_file(300, dialect), way, 30)


@pytest.mark.slow
@pytest.mark.timeout(300)
@own_files
async def test_of_10000_tickets_100_are_broken_and_9900_arrive(shops: Shops, dialect: str) -> None:
    broken = await _only_broken_wait(shops, own_file(10_000, dialect), "sent", every=100)

    assert (len(broken.victims), len(broken.good)) == (100, 9_900)


async def _all_arrives_once(shops: Shops, file: TillFile, way: Way) -> None:
    shop = await shops.open(file)
    pieces, sold = file.pieces(), file.sold()

    await shop.take(file, way)
    await shop.run()

    assert shop.target.paid() == file.paid(sold)
    assert shop.numbers_by_till() == _by_till(file, sold)
    assert set(shop.target.book.effects.values()) == {1}
    books = await shop.stage.ledger(shop.retailer)
    fates = {"delivered": len(sold), "skipped": len(pieces) - len(sold)}
    assert books.total.fates == {fate: count for fate, count in fates.items() if count}
    assert (books.total.accepted, books.total.held, books.unaccounted) == (len(pieces), 0, 0)

    requests = shop.target.book.request_count
    again = await shop.take(file, way)
    await shop.run()

    assert again is None or (again.is_known, again.records) == (True, len(pieces))
    assert await shop.messages() == len(pieces)
    assert shop.target.book.request_count == requests
    assert (await shop.stage.ledger(shop.retailer)).total == books.total


async def _only_broken_wait(shops: Shops, file: TillFile, way: Way, every: int) -> Broken:
    shop = await shops.open(file)
    broken = damaged(file, every)

    await shop.take(broken.file, way)
    await shop.run()

    assert shop.numbers_by_till() == _by_till(file, broken.good)
    assert shop.target.paid() == file.paid(broken.good)
    holds = await shop.holds()
    found = [(hold["file"], hold["code"], hold["byte"], hold["line"]) for hold in holds]
    expected = [(file.name, *where) for where in broken.victims]
    assert found == sorted(expected, key=lambda one: one[2])
    for hold in holds:
        assert hold["words"].endswith(".")
        assert len(hold["words"].split()) > 8
        assert hold["delivery_id"] is None
    books = await shop.stage.ledger(shop.retailer)
    assert books.total.fates.get("delivered", 0) == len(broken.good)
    assert (books.total.held, books.total.in_flight) == (len(broken.victims), 0)
    assert books.unaccounted == 0
    return broken


def _by_till(file: TillFile, pieces: list[bytes]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for piece in pieces:
        found[file.till(piece)].append(file.number(piece))
    return dict(found)
