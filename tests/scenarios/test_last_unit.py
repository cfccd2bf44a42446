"""The last unit sold twice: who ordered first gets it, the other is a case with money and a way out."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import msgspec
import pytest

from app.retail.inventory.oversell import Decision, OversellCase, list_cases, resolve_case
from app.retail.inventory.reservations import (
    Wish,
    convert_reservation,
    read_reservation,
    release_reservation,
    reserve,
)
from app.retail.inventory.upkeep import keep_stock
from app.retail.voice import core_connection
from infra.database.unit import begin
from infra.errors import Conflict, PlatformError, Unprocessable
from infra.ids import Id, new_id
from tests.scenarios.stock_shop import (
    StockShop,
    line,
    open_stock_shop,
    order,
    position,
    shipment,
    ticket,
)
from tests.scenarios.told import KeepingTarget
from tests.stage import Stage

DECIDED = "retail.oversell.decided.v1"


@pytest.fixture
async def shop(stage: Stage) -> StockShop:
    return await open_stock_shop(stage, channels=("web", "market"))


def wish(shop: StockShop, key: str, quantity: int = 1, **changes: object) -> Wish:
    return Wish(shop.channel("web"), key, "SKU-1", Decimal(quantity), **changes)  # type: ignore[arg-type]


async def kept(shop: StockShop, wanted: Wish) -> tuple[bool, int]:
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        answer = await reserve(session, wanted)
    return answer.reservation is not None, answer.left


async def reserved(shop: StockShop, key: str, quantity: int = 1, **changes: object) -> Id:
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        answer = await reserve(session, wish(shop, key, quantity, **changes))
    assert answer.reservation is not None
    return answer.reservation.id


async def ended(shop: StockShop, name: str, seconds_ago: int, *, is_paying: bool = True) -> Id:
    """Let a reservation have ended a while ago, as if time had passed."""
    made = new_id()
    await shop.stage.write(
        shop.retailer,
        "insert into reservation (tenant_id, id, client_key, connection_id, sku, quantity,"
        " expires_at, paying_at) values ($1, $2, $3, $4, 'SKU-1', 1,"
        " now() - make_interval(secs => $5), case when $6 then now() end)",
        *(shop.retailer.tenant_id, made, name, shop.channel("web"), seconds_ago, is_paying),
    )
    return made


async def test_a_shop_and_an_online_order_take_the_last_unit(stage: Stage, shop: StockShop) -> None:
    """E-I08. The goods are gone over the counter; the order is a case with money, and is decided."""
    await shop.rule("web", pool=("store-1",))
    await shop.rule("market", pool=("store-1",))
    await shop.tell("wms", position(1, 0, "store-1"), position(4, 0, "store-2"))
    await shop.tell("web", order(1, 5))
    await shop.tell("till", ticket(1, 6))
    await shop.work()

    assert await shop.targets() == {"web": 0, "market": 0}
    assert await shop.cases() == [("open", "web", "o-1", "1", "store")]
    async with begin(shop.retailer.scope, stage.database) as session:
        (case,) = await list_cases(session)
    assert (case.amount, case.currency) == (Decimal(10), "USD")
    assert (case.proposal.resolution, case.proposal.location) == ("re_source", "store-2")
    assert case.proposal.words == "store-2 has 4 of SKU-1. Let it send the goods."


async def test_two_channels_sell_the_last_unit_in_the_lag_and_the_first_order_wins(
    stage: Stage, shop: StockShop, target: KeepingTarget
) -> None:
    """E-I09. Whichever arrives first, the later order is the case; its end is told to the shop."""
    await stage.connect(shop.retailer, "oms", "http", base_url=target.url)
    await stage.give_secret(shop.retailer, "oms", ["signing_secret"])
    await shop.tell("wms", position(1, 0), position(0, 0, "store-1"))
    await shop.tell("market", order(2, 6))
    await shop.work()
    assert await shop.cases() == []
    await shop.tell("web", order(1, 5))
    await shop.work()
    assert await shop.cases() == [("open", "market", "o-2", "1", "another_channel")]
    sorry = Decision("cancel", message="It was sold a minute earlier. We are sorry.")
    async with begin(shop.retailer.scope, stage.database) as session:
        shop.retailer.connections["core"] = await core_connection(session)
    await stage.flow(shop.retailer, "core", "oms", types=[DECIDED])
    case = await decide(shop, sorry)
    assert case.proposal.resolution == "cancel"
    async with stage.engine():
        await stage.rests(shop.retailer)

    (told,) = [msgspec.json.decode(body)["data"] for body in target.bodies]
    assert (told["resolution"], told["message"]) == ("cancel", sorry.message)
    assert (told["order_id"], told["sku"], told["channel"]) == ("o-2", "SKU-1", "market")
    assert await shop.cases() == [("resolved", "market", "o-2", "1", "another_channel")]


async def decide(shop: StockShop, decision: Decision) -> OversellCase:
    """Decide the one open case."""
    key = await shop.stage.vault.current(shop.retailer.tenant_id)
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        (case,) = await list_cases(session)
        await resolve_case(session, key, case.id, decision)
    return case


async def test_a_case_is_decided_once_and_with_what_its_end_needs(shop: StockShop) -> None:
    await shop.tell("wms", position(0, 0))
    await shop.tell("web", order(1, 5))
    await shop.work()
    with pytest.raises(Unprocessable, match="Write what the customer is told"):
        await decide(shop, Decision("cancel"))
    case = await decide(shop, Decision("substitute", substitute_sku="SKU-2"))

    key = await shop.stage.vault.current(shop.retailer.tenant_id)
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        with pytest.raises(Conflict) as refused:
            await resolve_case(session, key, case.id, Decision("backorder", message="Wait."))

    assert refused.value.code == "oversell.decided"
    said = await shop.stage.rows(
        shop.retailer, "select topic from message where topic = $1", DECIDED
    )
    assert len(said) == 1


async def test_a_case_ends_by_itself_when_goods_come_or_the_order_goes(shop: StockShop) -> None:
    await shop.tell("wms", position(1, 0))
    await shop.tell("web", order(1, 5, line(1, 2)), order(2, 6))
    await shop.work()
    assert await shop.cases() == [
        ("open", "web", "o-1", "1", "stale_stock"),
        ("open", "web", "o-2", "1", "stale_stock"),
    ]

    await shop.tell("web", order(2, 7, verb="cancelled", version="2"))
    await shop.work()
    assert [case[:3] for case in await shop.cases()] == [
        ("open", "web", "o-1"), ("cancelled", "web", "o-2"),
    ]  # fmt: skip

    await shop.tell("wms", position(2, 10))
    await shop.work()
    assert [case[0] for case in await shop.cases()] == ["cancelled", "cancelled"]
    await shop.tell("web", shipment("f-1", 1, 20, 2))
    await shop.work()
    assert [case[0] for case in await shop.cases()] == ["cancelled", "cancelled"]


async def test_of_fifty_buyers_of_one_unit_exactly_one_gets_it(shop: StockShop) -> None:
    await shop.tell("wms", position(1, 0))
    await shop.work()

    answers = await asyncio.gather(*(kept(shop, wish(shop, f"k-{n}")) for n in range(50)))

    assert sorted(answers) == [(False, 0)] * 49 + [(True, 0)]
    await shop.work()
    assert await shop.targets() == {"web": 0, "market": 0}


async def test_the_same_wish_told_again_is_the_same_reservation(shop: StockShop) -> None:
    await shop.tell("wms", position(3, 0))
    await shop.work()

    first = await reserved(shop, "cart-1", 2)
    again = await reserved(shop, "cart-1", 2)

    assert again == first
    with pytest.raises(Conflict) as refused:
        await kept(shop, wish(shop, "cart-1", 3))
    assert refused.value.code == "reservation.key_used"
    assert await kept(shop, wish(shop, "cart-2", 2)) == (False, 1)


async def test_goods_told_of_a_moment_ago_count_before_they_are_folded(shop: StockShop) -> None:
    await shop.tell("wms", position(1, 0))
    await shop.work()
    await shop.tell("till", ticket(1, 5, store="dc"))
    async with shop.stage.engine():
        read = "select count(*) from message where state = 'received'"
        await shop.stage.until(shop.retailer, read, 0)
        assert await kept(shop, wish(shop, "k-1")) == (False, 0)


async def test_what_was_reserved_stays_kept_until_its_order_is_known(shop: StockShop) -> None:
    await shop.tell("wms", position(5, 0))
    await shop.work()
    reservation = await reserved(shop, "cart", 2)
    await shop.work()
    assert await shop.targets() == {"web": 3, "market": 3}

    async with begin(shop.retailer.scope, shop.stage.database) as session:
        await convert_reservation(session, reservation, "o-1")
    await shop.work()
    assert await shop.targets() == {"web": 3, "market": 3}

    await shop.tell("web", order(1, 5, line(1, 2)))
    await shop.work()
    assert await shop.targets() == {"web": 3, "market": 3}
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        with pytest.raises(PlatformError) as refused:
            await release_reservation(session, reservation)
    assert refused.value.code == "reservation.converted"


async def test_who_is_paying_when_the_time_ends_has_a_minute_more(
    shop: StockShop,
) -> None:
    """E-I36. Others give back at the end; who pays later than the grace must reserve again."""
    await shop.tell("wms", position(5, 0))
    await shop.work()
    idle = await ended(shop, "idle", 1, is_paying=False)
    paying, late = await ended(shop, "paying", 50), await ended(shop, "late", 61)

    await keep_stock(shop.stage.database)
    await shop.work()

    assert await shop.targets() == {"web": 4, "market": 4}
    async with begin(shop.retailer.scope, shop.stage.database) as session:
        assert (await read_reservation(session, idle)).state == "expired"
        assert (await convert_reservation(session, paying, "o-1")).state == "converted"
        with pytest.raises(Conflict) as refused:
            await convert_reservation(session, late, "o-2")
    assert refused.value.code == "reservation.expired"
