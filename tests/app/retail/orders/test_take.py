"""What is told of an order, whenever and however often, makes the same order and the same sum."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace as changed_struct

from tests.app.retail.orders.telling import (
    Channel,
    cancelled,
    changed,
    line,
    order,
    placed,
    refunded,
    shipped,
)

D = Decimal
TWO = (("1", 2, "20.00"), ("2", 1, "7.50"))


async def test_a_new_order_is_one_agreement_over_all_of_it(channel: Channel) -> None:
    await channel.tell(placed(order(*TWO, shipping=D("4.90"))))

    kept = await channel.order()
    assert await channel.agreements() == [("order", "32.40")]
    assert (kept["status"], kept["payment"], kept["total"]) == ("open", "paid", D("32.40"))


async def test_an_edit_is_agreed_as_its_difference_alone(channel: Channel) -> None:
    await channel.tell(placed(order(*TWO)))

    await channel.tell(changed(order(("1", 1, "10.00"), ("2", 1, "7.50"), ("3", 1, "5.00")), 2))

    assert await channel.agreements() == [("order", "27.50"), ("order_edit", "-5.00")]
    assert (await channel.order())["standing"] == D("22.50")


async def test_the_same_telling_twice_is_one_agreement(channel: Channel) -> None:
    await channel.tell(placed(order(*TWO)), placed(order(*TWO)))
    await channel.tell(placed(order(*TWO)))

    assert await channel.agreements() == [("order", "27.50")]
    assert (await channel.order())["overtaken"] == 2


async def test_an_older_telling_that_comes_late_is_counted_and_changes_nothing(
    channel: Channel,
) -> None:
    await channel.tell(changed(order(("1", 1, "10.00")), 3))

    await channel.tell(changed(order(*TWO), 2), placed(order(*TWO)))

    kept = await channel.order()
    assert await channel.agreements() == [("order", "10.00")]
    assert (kept["overtaken"], kept["standing"]) == (2, D("10.00"))


async def test_a_cancelled_order_stands_at_nothing_and_stays_cancelled(channel: Channel) -> None:
    await channel.tell(placed(order(*TWO)), cancelled(order(*TWO), 2))
    # Many shops tell of the cancelled order as changed once more.
    await channel.tell(changed(order(*TWO), 3))

    kept = await channel.order()
    assert await channel.agreements() == [("order", "27.50"), ("cancellation", "-27.50")]
    assert (kept["status"], kept["standing"]) == ("cancelled", D(0))
    assert await channel.standing() == {}


async def test_a_cancellation_that_comes_before_its_order_leaves_nothing_of_it(
    channel: Channel,
) -> None:
    await channel.tell(cancelled(changed_struct(order(), lines=(), total=D("27.50")), 2))
    await channel.tell(placed(order(*TWO)))

    kept = await channel.order()
    assert (await channel.agreements(), kept["status"]) == ([], "cancelled")


async def test_a_refund_before_its_order_waits_and_is_agreed_after_it(channel: Channel) -> None:
    await channel.tell(refunded("r-1", "12.00", line("1", -1, "-10.00")))
    assert (await channel.order())["status"] == "awaited"

    await channel.tell(placed(order(*TWO)))

    kept = await channel.order()
    assert await channel.agreements() == [("order", "27.50"), ("refund", "-12.00")]
    assert (kept["payment"], kept["refunded"]) == ("partially_refunded", D("12.00"))
    assert await channel.standing() == {
        ("product", "1"): (D(1), D("10.00"), D(0), D("10.00")),
        ("product", "2"): (D(1), D("7.50"), D(0), D("7.50")),
        ("fee", "r-1"): (D(0), D("-2.00"), D(0), D("-2.00")),
    }


async def test_refunds_of_an_order_that_was_cancelled_take_nothing_twice(channel: Channel) -> None:
    await channel.tell(
        placed(order(*TWO)),
        refunded("r-1", "10.00", line("1", -1, "-10.00")),
        cancelled(order(*TWO), 2),
        refunded("r-2", "17.50", line("1", -1, "-10.00"), line("2", -1, "-7.50"), version=2),
    )

    assert await channel.agreements() == [
        ("order", "27.50"),
        ("refund", "-10.00"),
        ("cancellation", "-17.50"),
    ]
    assert await channel.standing() == {}


async def test_an_order_told_in_another_currency_is_held_and_nothing_is_agreed(
    channel: Channel,
) -> None:
    await channel.tell(placed(order(*TWO)))

    (hold,) = await channel.tell(changed(order(*TWO, currency="EUR"), 2))

    assert (hold.code, hold.pointer) == ("order.currency_changed", "/currency")
    assert "EUR" in hold.words
    assert "USD" in hold.words
    assert await channel.agreements() == [("order", "27.50")]


async def test_an_order_of_which_the_parts_are_not_the_total_is_held_and_no_other(
    channel: Channel,
) -> None:
    wrong = changed_struct(order(*TWO, number="2"), total=D("99.00"))

    holds = await channel.tell(placed(order(*TWO)), placed(wrong))

    assert [hold.code for hold in holds] == ["order.totals_differ"]
    rows = await channel.stage.rows(channel.retailer, "select order_id from sales_order")
    assert [row["order_id"] for row in rows] == ["o-1"]


async def test_an_article_that_nobody_knows_never_stops_the_money(channel: Channel) -> None:
    unknown = line("1", 1, "9.99", sku=None)

    assert await channel.tell(placed(order(lines=(unknown,), total=D("9.99")))) == []

    assert await channel.agreements() == [("order", "9.99")]


async def test_an_order_of_no_value_is_an_order(channel: Channel) -> None:
    """E-O21. A gift: nothing is paid, and it is agreed, open, and paid all the same."""
    await channel.tell(placed(order(("1", 1, "0.00"))))

    kept = await channel.order()
    assert await channel.agreements() == [("order", "0.00")]
    assert (kept["status"], kept["payment"], kept["paid"]) == ("open", "paid", D(0))


async def test_a_test_order_is_kept_and_never_agreed(channel: Channel) -> None:
    await channel.tell(placed(order(*TWO, is_test=True)))

    kept = await channel.order()
    assert (await channel.agreements(), kept["is_test"], kept["total"]) == ([], True, D(0))


async def test_goods_that_leave_two_places_in_parts_leave_the_rest_open(channel: Channel) -> None:
    """E-O15. A shipment from each place; partial until all left; the shipping charge counts once."""
    await channel.tell(placed(order(*TWO, shipping=D("4.90"))))

    await channel.tell(shipped("s-1", line("1", 1, "10.00")), by="warehouse")
    partly = (await channel.order())["fulfilment"]
    await channel.tell(shipped("s-1", line("1", 1, "10.00"), line("2", 1, "7.50")), by="store")

    kept = await channel.order()
    shipments = await channel.stage.rows(channel.retailer, "select 1 from order_shipment")
    assert len(shipments) == 2
    assert (partly, kept["fulfilment"], kept["status"]) == ("partial", "fulfilled", "closed")
    assert await channel.agreements() == [("order", "32.40")]
    standing = await channel.standing()
    assert standing["shipping", ""] == (D(0), D("4.90"), D(0), D("4.90"))


async def test_a_shipment_before_its_order_waits_for_it(channel: Channel) -> None:
    whole = shipped("s-1", line("1", 2, "20.00"), line("2", 1, "7.50"))
    await channel.tell(whole, by="warehouse")

    await channel.tell(placed(order(*TWO)))

    assert (await channel.order())["fulfilment"] == "fulfilled"


async def test_more_goods_than_ordered_are_a_break_and_the_order_stays(channel: Channel) -> None:
    await channel.tell(placed(order(("1", 2, "20.00"))))

    await channel.tell(shipped("s-1", line("1", 3, "30.00")), by="warehouse")

    assert await channel.breaks() == [("order_over_shipped", "shop/o-1/1")]
    assert await channel.agreements() == [("order", "20.00")]


async def test_a_cancellation_after_goods_left_is_too_late_and_told_to_a_person(
    channel: Channel,
) -> None:
    """E-O04. It cannot be cancelled: it stands, and a person is told to bring it back or return it."""
    await channel.tell(placed(order(*TWO)))
    await channel.tell(shipped("s-1", line("1", 2, "20.00")), by="warehouse")

    await channel.tell(cancelled(order(*TWO), 2))

    kept = await channel.order()
    assert await channel.agreements() == [("order", "27.50")]
    assert (kept["status"], kept["standing"]) == ("open", D("27.50"))
    assert await channel.breaks() == [("order_shipped_though_cancelled", "shop/o-1")]


async def test_goods_that_leave_while_the_cancellation_is_under_way_win(channel: Channel) -> None:
    """E-O05. Shipping wins: the order stands again, and it goes on as cancelled after shipping."""
    await channel.tell(placed(order(*TWO)), cancelled(order(*TWO), 2))

    await channel.tell(shipped("s-1", line("1", 2, "20.00")), by="warehouse")

    assert await channel.agreements() == [
        ("order", "27.50"),
        ("cancellation", "-27.50"),
        ("correction", "27.50"),
    ]
    assert await channel.breaks() == [("order_shipped_though_cancelled", "shop/o-1")]


async def test_nothing_of_a_person_is_kept_with_an_order(channel: Channel) -> None:
    columns = await channel.stage.rows(
        channel.retailer,
        "select column_name from information_schema.columns where table_name = any($1)",
        ["sales_order", "agreement", "agreement_line", "order_refund", "order_shipment"],
    )

    assert columns
    assert not {row["column_name"] for row in columns} & {"name", "email", "phone", "customer"}
