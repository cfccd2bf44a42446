"""Two partners with two retailers each, all with the same kinds of objects, and a key of every role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from app.api.store_day_shapes import store_day_id
from app.exceptions.discard import discard_hold
from app.exceptions.hold import HoldFilter, list_holds
from app.exceptions.incidents.sync import IncidentSync
from app.exceptions.replay.create import create_replay
from app.exceptions.replay.selection import Selection
from app.exceptions.replay.start import cancel_replay
from app.flows.manual import NewManual, add_manual, end_manual
from app.health.alerts.channel import ChannelParts, Limits
from app.health.alerts.channels import Wanted, add_channel
from app.identities.bind import make_identity
from app.identities.bindings import Name
from app.identities.review import Likely, open_matches, propose_likely, reject_matches
from app.retail.journals.day_book import expect_days
from app.retail.orders.change import cancel_order
from app.retail.returns.start import start_return
from app.retail.settlements.keep import take_due
from connectors.canonical.returns import Return, ReturnLine
from connectors.catalog.http.emulator import Recorder
from infra import clock
from infra.database.pool import Database
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from infra.egress.policy import EgressPolicy
from infra.ids import Id, new_id
from tenants.partners import ensure_partner
from tenants.retailers import ensure_retailer
from tenants.roles import LEVELS, Level, Role
from tests.app.api.served import Served, key_of, serve
from tests.app.exceptions.conftest import broken_order
from tests.app.exceptions.picky import PickyTarget
from tests.app.retail.settlements.report import settlement_event
from tests.stage import Retailer, Stage, open_stage, order_event


@dataclass(slots=True)
class Shop:
    """One retailer and one id of each kind of its objects."""

    retailer: Retailer
    partner_id: Id
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def tenant_id(self) -> Id:
        """Give the retailer's id."""
        return self.retailer.tenant_id


@dataclass(frozen=True, slots=True)
class Actor:
    """A key of one role, and the shops it reaches; `names` when each request must name one."""

    role: Role
    key: str
    reaches: frozenset[Id]
    names: bool

    def __str__(self) -> str:
        return f"{self.role} of {len(self.reaches)}"


@dataclass(frozen=True, slots=True)
class World:
    """Everything the matrix is played on."""

    served: Served
    shops: tuple[Shop, ...]
    actors: tuple[Actor, ...]


@asynccontextmanager
async def open_shops(database: Database) -> AsyncIterator[tuple[Stage, tuple[Shop, ...]]]:
    """Set up all shops with their objects, on a stage."""
    target = PickyTarget(refused={"o-1"})
    async with Recorder(target) as recorder, open_stage(database) as stage:
        shops = tuple([await _shop(stage, each, recorder.url) for each in await _retailers(stage)])
        async with stage.engine():
            for shop in shops:
                await stage.settled(shop.retailer)
        for shop in shops:
            await _find_objects(stage, shop)
        yield stage, shops


@asynccontextmanager
async def open_world(database: Database) -> AsyncIterator[World]:
    """Set up all shops and keys, and serve them."""
    async with open_shops(database) as (stage, shops), serve(stage) as served:
        yield World(served, shops, tuple(await _actors(stage, shops)))


async def _retailers(stage: Stage) -> list[Shop]:
    made = []
    async with begin(OperatorScope("test"), stage.database) as session:
        for _ in range(2):
            partner = await ensure_partner(session, f"p-{new_id().hex}", "Partner", {})
            for slug in ("north", "south"):
                retailer = await ensure_retailer(
                    session, partner.id, slug, slug.title(), "UTC", "USD"
                )
                made.append(Shop(Retailer(retailer.id), partner.id))
    return made


async def _shop(stage: Stage, shop: Shop, target_url: str) -> Shop:
    retailer = shop.retailer
    await stage.connect(retailer, "source", "http")
    await stage.connect(retailer, "target", "http", base_url=target_url)
    await stage.connect(retailer, "till", "pos_files", dialect="poslog_ncr", timezone="UTC")
    await stage.give_secret(retailer, "target", ["signing_secret"])
    await stage.flow(retailer, "source", "target")
    await stage.accept(retailer, "source", order_event(1), order_event(2), broken_order(3))
    await stage.accept(retailer, "source", settlement_event(str(retailer.tenant_id.int)))
    return shop


async def _find_objects(stage: Stage, shop: Shop) -> None:
    """Name one object of each kind; the message that cannot be read is discarded."""
    holds = await list_holds(shop.retailer.scope, stage.database, HoldFilter(), 10)
    (of_message,) = [hold for hold in holds if hold.delivery_id is None]
    (of_delivery,) = [hold for hold in holds if hold.delivery_id is not None]
    await discard_hold(
        shop.retailer.scope, stage.database, of_message.id, "A test order.", lambda: None
    )
    await IncidentSync(stage.database).go_on()
    (grouped,) = await stage.rows(
        shop.retailer, "select incident_id from hold where id = $1", of_delivery.id
    )
    (delivery,) = await stage.rows(
        shop.retailer, "select event_id from delivery where id = $1", of_delivery.delivery_id
    )
    shop.ids = {
        "message": str(of_delivery.message_id),
        "event": str(delivery["event_id"]),
        "delivery": str(of_delivery.delivery_id),
        "exception": str(of_delivery.id),
        "incident": str(grouped["incident_id"]),
        "alert channel": str(await _channel(stage, shop)),
        "replay": str(await _replay(stage, shop)),
        "decided exception": str(of_message.id),
        "return": str(await _return(stage, shop)),
        "connection": str(shop.retailer.connections["source"]),
        "target connection": str(shop.retailer.connections["target"]),
        "channel connection": str(await _channel_of(stage, shop)),
        "given back": str(await _given_back(stage, shop)),
        "decided oversell": str(await _decided_oversell(stage, shop)),
        "file connection": str(shop.retailer.connections["till"]),
        "flow": str(next(iter(shop.retailer.flows.values()))),
        "ended override": str(await _override(stage, shop)),
        "cancelled order": str(await _order(stage, shop)),
        "price": str(await _price(stage, shop)),
        **await _names(stage, shop),
        **await _finance(stage, shop),
    }


async def _given_back(stage: Stage, shop: Shop) -> Id:
    """Make a reservation that was given back."""
    made = new_id()
    await stage.write(
        shop.retailer,
        "insert into reservation (tenant_id, id, client_key, connection_id, sku, quantity, state,"
        " expires_at, ended_at) values ($1, $2, 'cart', $3, 'S', 1, 'released', now(), now())",
        *(shop.tenant_id, made, shop.retailer.connections["target"]),
    )
    return made


async def _decided_oversell(stage: Stage, shop: Shop) -> Id:
    made = new_id()
    await stage.write(
        shop.retailer,
        "insert into oversell_case (tenant_id, id, sku, connection_id, order_id, units, cause,"
        " state, resolution) values ($1, $2, 'S', $3, 'o-1', 1, 'store', 'resolved', 'cancel')",
        *(shop.tenant_id, made, shop.retailer.connections["target"]),
    )
    return made


async def _channel_of(stage: Stage, shop: Shop) -> Id:
    connection_id = shop.retailer.connections["target"]
    await stage.write(
        shop.retailer,
        "insert into channel_turn (tenant_id, connection_id) values ($1, $2) on conflict do nothing",
        shop.tenant_id,
        connection_id,
    )
    return connection_id


async def _finance(stage: Stage, shop: Shop) -> dict[str, str]:
    """Take the settlement that was told, and open the day of a store with a name of its own."""
    retailer, day, place = shop.retailer, date(2026, 11, 20), f"store-{shop.tenant_id.int}"
    (taken,) = await take_due(retailer.scope, stage.database, stage.vault)
    (journal,) = await stage.rows(retailer, "select id from journal")
    async with begin(retailer.scope, stage.database) as session:
        await expect_days(session, retailer.tenant_id, [place], day)
    return {
        "settlement": str(taken.id),
        "journal": str(journal["id"]),
        "store day": store_day_id(place, day),
    }


async def _names(stage: Stage, shop: Shop) -> dict[str, str]:
    name = Name(shop.retailer.connections["source"], "variant", "unknown")
    async with begin(shop.retailer.scope, stage.database) as session:
        made = await make_identity(session, "variant", "Scarf", "SKU-001")
        likely = Likely(made, Decimal("0.9"), ("the same SKU",))
        await propose_likely(session, [(name, likely)])
        (match,) = await open_matches(session, name.connection_id)
        await reject_matches(session, [match.id])
    return {"object": str(made), "decided match": str(match.id)}


async def _price(stage: Stage, shop: Shop) -> Id:
    version_id = new_id()
    await stage.write(
        shop.retailer,
        "insert into price_version (tenant_id, id, subject, connection_id, object_id, content_hash,"
        " item, body, told_at, state)"
        " values ($1, $2, 'price', $3, 'P-1', '', 'MUG', '{}', now(), 'superseded')",
        shop.tenant_id,
        version_id,
        shop.retailer.connections["source"],
    )
    return version_id


async def _order(stage: Stage, shop: Shop) -> Id:
    (row,) = await stage.rows(shop.retailer, "select id from sales_order where order_id = 'o-2'")
    order_key: Id = row["id"]
    key = await stage.vault.current(shop.tenant_id)
    async with begin(shop.retailer.scope, stage.database) as session:
        await cancel_order(session, key, order_key, "A try.", "test")
    return order_key


async def _override(stage: Stage, shop: Shop) -> Id:
    flow_id = next(iter(shop.retailer.flows.values()))
    until = clock.now() + timedelta(hours=1)
    async with begin(shop.retailer.scope, stage.database) as session:
        made = await add_manual(session, NewManual(flow_id, "skip", "A try.", until, "o-9"))
        await end_manual(session, made.id, "A try.")
    return made.id


async def _return(stage: Stage, shop: Shop) -> Id:
    lines = (ReturnLine(line_id="1", sku="SKU-001", requested=Decimal(1)),)
    request = Return(
        return_id="R1", number="R1", kind="in_store", currency="USD", lines=lines,
        initiated_at=clock.now(),
    )  # fmt: skip
    return await start_return(shop.retailer.scope, stage.database, stage.vault, request)


async def _replay(stage: Stage, shop: Shop) -> Id:
    scope, wanted = shop.retailer.scope, Selection(code="target.refused")
    made = await create_replay(scope, stage.database, wanted, "now", "A try.")
    await cancel_replay(scope, stage.database, made.id)
    return made.id


async def _channel(stage: Stage, shop: Shop) -> Id:
    wanted = Wanted("webhook", "Desk", "https://desk.example/alerts", Limits())
    parts = ChannelParts(stage.database, stage.vault, EgressPolicy())
    made, _ = await add_channel(shop.retailer.scope, parts, wanted)
    return made.id


async def _actors(stage: Stage, shops: tuple[Shop, ...]) -> list[Actor]:
    actors = []
    everyone = frozenset(shop.tenant_id for shop in shops)
    partners = sorted({shop.partner_id for shop in shops})
    for role in Role:
        if Level.PLATFORM in LEVELS[role]:
            actors.append(Actor(role, await key_of(stage, role), everyone, names=True))
        if Level.PARTNER in LEVELS[role]:
            for partner_id in partners:
                reaches = frozenset(s.tenant_id for s in shops if s.partner_id == partner_id)
                key = await key_of(stage, role, partner_id=partner_id)
                actors.append(Actor(role, key, reaches, names=True))
        if Level.RETAILER in LEVELS[role]:
            for shop in shops:
                key = await key_of(stage, role, tenant_id=shop.tenant_id)
                actors.append(Actor(role, key, frozenset({shop.tenant_id}), names=False))
    return actors
