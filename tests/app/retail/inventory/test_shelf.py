"""An article is folded from tickets, orders, shipments and counts, in whatever order they are told."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from app.retail.inventory.channels import PoolRule, Rules, oversold, units_shown
from app.retail.inventory.facts import Document, StockFact, account_of, rank_of
from app.retail.inventory.promise import ChannelRule
from app.retail.inventory.shelf import Shelf, shelf_of
from infra.ids import Id, new_id

HISTORIES = 10_000
TEN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
WEB, MARKET, WMS = new_id(), new_id(), new_id()
PLACES = ("dc", "store-1")
RULES = Rules({(each, ""): PoolRule(each, "", (), 0, ChannelRule()) for each in (WEB, MARKET)})

Told = tuple[StockFact, Document | None]


def at(minutes: int) -> datetime:
    return TEN + timedelta(minutes=minutes)


def fact(
    kind: str, quantity: int, minutes: int, name: str, channel: Id = WMS, **ends: str
) -> StockFact:
    return StockFact(
        sku="SKU-1",
        source_key=name,
        kind=kind,  # type: ignore[arg-type]
        quantity=Decimal(quantity),
        to_location=ends.pop("to", "customer"),
        to_state="available",
        from_location=ends.pop("origin", ""),
        from_state="available" if kind == "movement" else "",
        occurred_at=at(minutes),
        stated_at=at(minutes),
        connection_id=channel,
        document=ends.pop("document", ""),
        rank=rank_of(ends.pop("version", ""), 0),
        telling=f"{name}/{quantity}/{minutes}".encode(),
    )


def history(chance: random.Random) -> list[Told]:
    """Make up an afternoon: counts, movements, and orders that change, go and leave."""
    told: list[Told] = []
    for number in range(chance.randint(1, 12)):
        minutes, place = chance.randint(0, 90), chance.choice(PLACES)
        match chance.randint(0, 4):
            case 0:
                told.append(
                    (fact("count", chance.randint(0, 9), minutes, f"c{number}", to=place), None)
                )
            case 1:
                ends = {"origin": place, "to": chance.choice(("customer", *PLACES))}
                if ends["origin"] != ends["to"]:
                    told.append(
                        (
                            fact(
                                "movement", chance.randint(1, 4), minutes, f"m{number}", WMS, **ends
                            ),
                            None,
                        )
                    )
            case _:
                told += order(chance, number)
    return told


def order(chance: random.Random, number: int) -> list[Told]:
    channel, name = chance.choice((WEB, MARKET)), f"o{number}"
    where = chance.choice((account_of(channel), "dc"))
    told: list[Told] = []
    for version in range(chance.randint(1, 3)):
        minutes = 10 * version + chance.randint(0, 9)
        stated = fact(
            "order", chance.randint(0, 3), minutes, name, channel, document=name, to=where,
            version=str(version),
        )  # fmt: skip
        document = Document(
            channel, name, "order", where, stated.stated_at, stated.rank, stated.telling
        )
        told.append((stated, document))
    if chance.random() < 0.5:
        sent = fact(
            "shipment", 1, chance.randint(20, 60), f"s{number}", channel, document=name, to=where
        )
        told.append((sent, None))
    if chance.random() < 0.3:
        ends = {"origin": chance.choice(PLACES), "to": "customer", "document": name}
        told.append((fact("movement", 1, chance.randint(20, 60), f"w{number}", WMS, **ends), None))
    return told


def folded(told: list[Told]) -> Shelf:
    documents: defaultdict[tuple[Id, str], list[Document]] = defaultdict(list)
    for _, document in told:
        if (
            document is not None
            and document not in documents[document.connection_id, document.document]
        ):
            documents[document.connection_id, document.document].append(document)
    # The book keeps a telling once.
    facts = list(dict.fromkeys(fact for fact, _ in told))
    return shelf_of("SKU-1", facts, documents)


def outcome(shelf: Shelf) -> tuple[object, ...]:
    shown = [units_shown("SKU-1", rule, {"SKU-1": shelf}, RULES) for rule in RULES.showing("SKU-1")]
    return (shelf.positions, shown, oversold(shelf, RULES))


def test_ten_thousand_histories_told_in_another_order_and_again_end_alike() -> None:
    """E-I02, E-I03. Positions, what channels show, and who goes without."""
    chance = random.Random(20261127)  # noqa: S311 - a repeatable order, no secret
    for _ in range(HISTORIES):
        told = history(chance)
        again = [*told, *chance.sample(told, len(told) // 2)]
        chance.shuffle(again)

        assert outcome(folded(again)) == outcome(folded(told))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_shown_is_never_more_than_stands_there_and_never_less_than_nothing(
    seed: int,
) -> None:
    shelf = folded(history(random.Random(seed)))  # noqa: S311 - as above

    there = sum(max(Decimal(0), shelf.available(place)) for place in shelf.locations())

    for rule in RULES.showing("SKU-1"):
        assert 0 <= units_shown("SKU-1", rule, {"SKU-1": shelf}, RULES) <= there


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_an_order_never_keeps_more_than_it_wants_nor_less_than_nothing(seed: int) -> None:
    shelf = folded(history(random.Random(seed)))  # noqa: S311 - as above

    for goods in shelf.gathered.orders.values():
        assert 0 <= goods.open_units <= 3
    committed = [each.quantity for each in shelf.positions.values() if each.state == "committed"]
    assert all(quantity >= 0 for quantity in committed)
    assert sum(committed) == sum(goods.open_units for goods in shelf.gathered.orders.values())
