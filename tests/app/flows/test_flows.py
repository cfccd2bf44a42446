"""Flows: blueprints are checked, installed where they fit, versioned and found by their source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.flows import blueprints
from app.flows.blueprints import blueprint
from app.flows.fit import fit
from app.flows.install import WantedFlow, ensure_flow
from app.flows.routes import Route, RouteBook
from app.flows.versions import list_versions
from connectors.registry import manifest
from connectors.sdk.manifest import Manifest
from infra.database.pool import Database
from infra.database.unit import begin
from infra.errors import Unprocessable
from tests.app.retailer import Retailer, make_retailer

PLACED = "retail.order.placed.v1"
STOCK = "retail.stock.position.v1"


async def install(retailer: Retailer, wanted: WantedFlow) -> tuple[object, bool]:
    async with begin(retailer.scope, retailer.database) as session:
        return await ensure_flow(session, wanted)


def system(**declared: object) -> Manifest:
    told = {"name": "x", "title": "X", "version": "1.0.0", "summary": "", "roles": ["erp"]}
    return Manifest.model_validate({**told, **declared})


def action(name: str, *events: str, keys: str = "native") -> dict[str, object]:
    return {"name": name, "events": list(events), "keys": keys, "title": name}


def test_every_blueprint_is_readable_and_tells_in_words_what_is_wrong() -> None:
    assert blueprints.names() == (
        "journals_to_erp",
        "order_acknowledge_to_channel",
        "order_cancel_to_erp",
        "order_postings_to_erp",
        "prices_to_stores",
        "prices_to_web_shop",
        "promotions_to_stores",
        "promotions_to_web_shop",
        "recalls_to_all",
        "return_cash_to_till",
        "return_history_to_shop",
        "return_news_to_customer",
        "return_points_to_loyalty",
        "return_refund_to_payments",
        "return_reversal_to_books",
        "return_stock_to_warehouse",
        "return_to_warehouse",
        "shipment_to_channel",
        "stock_to_web_shop",
        "till_sale_to_erp",
        "web_order_to_erp",
    )
    for name in blueprints.names():
        told = blueprint(name).failure.format(count=3, amount="$640", target="the ERP", age="2 h")
        assert told.startswith("3 ")
        assert "{" not in told


@pytest.mark.parametrize(
    ("name", "ordering", "class_", "latency_p99_s"),
    [
        ("web_order_to_erp", "strict", 0, 60),
        ("till_sale_to_erp", "strict", 0, 5),
        ("order_cancel_to_erp", "strict", 0, 300),
        ("stock_to_web_shop", "latest_wins", 1, 10),
        ("shipment_to_channel", "strict", 1, 120),
    ],
)
def test_orders_go_in_order_and_first_and_of_stock_the_newest_counts(
    name: str, ordering: str, class_: int, latency_p99_s: float
) -> None:
    read = blueprint(name)

    assert (read.ordering, read.class_, read.slo.latency_p99_s) == (ordering, class_, latency_p99_s)


@pytest.mark.parametrize(
    ("name", "source", "target", "action_name"),
    [
        ("web_order_to_erp", "shopify", "tryton", "create_order"),
        ("order_cancel_to_erp", "shopify", "tryton", "cancel_order"),
        ("till_sale_to_erp", "pos_files", "tryton", "create_ticket"),
        ("stock_to_web_shop", "tryton", "shopify", "set_stock"),
    ],
)
def test_the_action_is_the_one_of_the_target_that_takes_the_event(
    name: str, source: str, target: str, action_name: str
) -> None:
    found = fit(blueprint(name), manifest(source), manifest(target))

    assert found.action == action_name
    assert found.event_types == (blueprint(name).event_types[0],)


def test_further_events_take_part_where_source_and_action_know_them() -> None:
    shop = system(roles=["shop"], reads=[PLACED, "retail.order.cancelled.v1"])
    erp = system(actions=[action("book", PLACED, "retail.order.cancelled.v1", STOCK)])

    found = fit(blueprint("web_order_to_erp"), shop, erp)

    assert found.event_types == (PLACED, "retail.order.cancelled.v1")


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        (system(reads=[PLACED]), system(), "goes from a system of the kind shop or marketplace"),
        (system(roles=["shop"], reads=[PLACED]), system(roles=["crm"]), "goes to a system of the"),
        (system(roles=["any"]), system(roles=["any"]), "does not tell retail.order.placed.v1"),
        (system(roles=["any"], reads=[PLACED]), system(), "has no action that takes"),
        (
            system(roles=["any"], reads=[PLACED]),
            system(actions=[action("a", PLACED), action("b", PLACED)]),
            "one of a, b",
        ),
        (
            system(roles=["any"], reads=[PLACED]),
            system(actions=[action("a", PLACED, keys="none")]),
            "could book the same thing twice",
        ),
    ],
)
def test_systems_that_do_not_fit_are_refused_in_words(
    source: Manifest, target: Manifest, words: str
) -> None:
    with pytest.raises(Unprocessable) as refusal:
        fit(blueprint("web_order_to_erp"), source, target)

    assert words in refusal.value.detail


def test_of_several_actions_the_named_one_is_taken() -> None:
    shop = system(roles=["shop"], reads=[PLACED])
    erp = system(actions=[action("a", PLACED), action("b", PLACED)])

    assert fit(blueprint("web_order_to_erp"), shop, erp, "b").action == "b"


async def test_a_flow_wanted_twice_is_made_once_and_a_change_raises_its_version(
    database: Database,
) -> None:
    retailer = await make_retailer(database)
    shop, erp = await retailer.connect("shop", "shopify"), await retailer.connect("erp")
    wanted = WantedFlow("orders", "web_order_to_erp", shop, erp)

    first = await install(retailer, wanted)
    second = await install(retailer, wanted)
    third = await install(
        retailer, WantedFlow("orders", "web_order_to_erp", shop, erp, {"team": "web"})
    )

    assert (first[1], second[1], third[1]) == (True, False, True)
    assert first[0] == second[0] == third[0]
    routes = await RouteBook(database).routes(retailer.id)
    (route,) = routes[shop]
    assert route == Route(
        flow_id=route.flow_id,
        source_connection_id=shop,
        target_connection_id=erp,
        event_types=frozenset({PLACED}),
        action="create_order",
        ordering="strict",
        class_=0,
        settings={"team": "web"},
        version=2,
    )


async def test_a_flow_keeps_its_published_rules_unless_its_configuration_speaks_of_them(
    database: Database,
) -> None:
    retailer = await make_retailer(database)
    shop, erp = await retailer.connect("shop", "shopify"), await retailer.connect("erp")
    rule = {"path": "body.store", "kind": "constant", "value": "7"}
    plain = WantedFlow("orders", "web_order_to_erp", shop, erp)

    flow_id, _ = await install(retailer, replace(plain, overrides=(rule,)))
    unspoken = await install(retailer, plain)
    cleared = await install(retailer, replace(plain, overrides=()))
    with pytest.raises(Unprocessable) as refusal:
        await install(retailer, replace(plain, overrides=({**rule, "path": "body.odd"},)))

    assert (unspoken[1], cleared[1], refusal.value.code) == (False, True, "mapping.invalid")
    async with begin(retailer.scope, database) as session:
        versions = await list_versions(session, flow_id, 10)  # type: ignore[arg-type]
    assert [(each.version, each.overrides) for each in versions] == [(2, ()), (1, (rule,))]


async def test_the_route_of_a_flow_switched_off_is_known_and_closed(database: Database) -> None:
    retailer = await make_retailer(database)
    shop, erp = await retailer.connect("shop", "shopify"), await retailer.connect("erp")
    book = RouteBook(database)
    await install(retailer, WantedFlow("orders", "web_order_to_erp", shop, erp))
    await install(retailer, WantedFlow("stock", "stock_to_web_shop", erp, shop))
    await install(retailer, WantedFlow("orders", "web_order_to_erp", shop, erp, is_enabled=False))
    book.forget(retailer.id)

    routes = await book.routes(retailer.id)
    assert {source: [route.is_enabled for route in found] for source, found in routes.items()} == {
        shop: [False],
        erp: [True],
    }


async def test_a_flow_to_another_retailers_connection_is_refused(database: Database) -> None:
    mine, foreign = await make_retailer(database), await make_retailer(database)
    shop, erp = await mine.connect("shop", "shopify"), await foreign.connect("erp")

    with pytest.raises(Unprocessable) as refusal:
        await install(mine, WantedFlow("orders", "web_order_to_erp", shop, erp))

    assert refusal.value.code == "flow.connection_missing"
    assert await RouteBook(database).routes(mine.id) == {}
    assert await RouteBook(database).routes(foreign.id) == {}


async def test_an_unknown_blueprint_is_refused_with_those_there_are(database: Database) -> None:
    retailer = await make_retailer(database)
    shop, erp = await retailer.connect("shop", "shopify"), await retailer.connect("erp")

    with pytest.raises(Unprocessable) as refusal:
        await install(retailer, WantedFlow("x", "../../etc/passwd", shop, erp))

    assert refusal.value.code == "flow.blueprint_unknown"
    assert "web_order_to_erp" in refusal.value.detail
