"""Two partners with two retailers each, all with the same kinds of objects, and a key of every role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from app.exceptions.discard import discard_hold
from app.exceptions.hold import HoldFilter, list_holds
from app.exceptions.incidents.sync import IncidentSync
from app.exceptions.replay.create import create_replay
from app.exceptions.replay.selection import Selection
from app.exceptions.replay.start import cancel_replay
from app.flows.manual import NewManual, add_manual, end_manual
from app.health.alerts.channel import ChannelParts, Limits
from app.health.alerts.channels import Wanted, add_channel
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
async def open_world(database: Database) -> AsyncIterator[World]:
    """Set up all shops and keys, and serve them."""
    target = PickyTarget(refused={"o-1"})
    async with (
        Recorder(target) as recorder,
        open_stage(database) as stage,
        serve(stage) as served,
    ):
        shops = tuple([await _shop(stage, each, recorder.url) for each in await _retailers(stage)])
        async with stage.engine():
            for shop in shops:
                await stage.settled(shop.retailer)
        for shop in shops:
            await _find_objects(stage, shop)
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
        "connection": str(shop.retailer.connections["source"]),
        "target connection": str(shop.retailer.connections["target"]),
        "file connection": str(shop.retailer.connections["till"]),
        "flow": str(next(iter(shop.retailer.flows.values()))),
        "ended override": str(await _override(stage, shop)),
    }


async def _override(stage: Stage, shop: Shop) -> Id:
    flow_id = next(iter(shop.retailer.flows.values()))
    until = clock.now() + timedelta(hours=1)
    async with begin(shop.retailer.scope, stage.database) as session:
        made = await add_manual(session, NewManual(flow_id, "skip", "A try.", until, "o-9"))
        await end_manual(session, made.id, "A try.")
    return made.id


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
