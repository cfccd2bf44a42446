"""A retailer with shops, a warehouse and channels, whose stock is told by API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.retail.inventory.rules import NewRule, put_rule
from infra.database.unit import begin
from infra.ids import Id
from tests.stage import Retailer, Stage

TEN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def at(minutes: float) -> str:
    """Give a moment after ten, as it is written in an event."""
    return (TEN + timedelta(minutes=minutes)).isoformat()


@dataclass(frozen=True)
class StockShop:
    """A retailer whose systems `till`, `wms`, `web` and `market` tell of stock and orders."""

    stage: Stage
    retailer: Retailer

    def channel(self, name: str) -> Id:
        return self.retailer.connections[name]

    async def tell(self, source: str, *events: dict[str, Any]) -> None:
        await self.stage.accept(self.retailer, source, *events)

    async def work(self, at_most_s: float = 30) -> None:
        """Work until all was read and folded."""
        async with self.stage.engine():
            await self.stage.until(
                self.retailer,
                "select (select count(*) from message where state = 'received')"
                " + (select count(*) from stock_due)",
                0,
                at_most_s,
            )

    async def rule(self, channel: str, sku: str = "", **values: Any) -> None:
        async with begin(self.retailer.scope, self.stage.database) as session:
            await put_rule(session, self.channel(channel), sku, NewRule(**values))

    async def positions(self, sku: str = "SKU-1") -> dict[str, str]:
        """Give quantities by `location state`; accounts of channels by their name."""
        rows = await self.stage.rows(
            self.retailer,
            "select location, state, quantity from stock_position where sku = $1"
            " order by location, state",
            sku,
        )
        names = {f"channel:{value}": name for name, value in self.retailer.connections.items()}
        return {
            f"{names.get(row['location'], row['location'])} {row['state']}": plain(row["quantity"])
            for row in rows
        }

    async def targets(self, sku: str = "SKU-1") -> dict[str, int]:
        """Give what each channel may show."""
        rows = await self.stage.rows(
            self.retailer,
            "select c.name, p.target from channel_position p join connection c"
            " on c.id = p.connection_id where p.sku = $1",
            sku,
        )
        return {row["name"]: row["target"] for row in rows}

    async def holds(self) -> list[str]:
        rows = await self.stage.rows(
            self.retailer, "select code from hold where state = 'open' order by id"
        )
        return [row["code"] for row in rows]

    async def breaks(self) -> list[tuple[str, str]]:
        rows = await self.stage.rows(
            self.retailer, "select kind, key from break where state = 'open' order by kind, key"
        )
        return [(row["kind"], row["key"]) for row in rows]

    async def cases(self) -> list[tuple[str, str, str, str, str]]:
        """Give state, channel, order, units and cause of oversell cases."""
        rows = await self.stage.rows(
            self.retailer,
            "select o.state, c.name, o.order_id, o.units, o.cause from oversell_case o"
            " join connection c on c.id = o.connection_id order by o.order_id",
        )
        return [
            (row["state"], row["name"], row["order_id"], plain(row["units"]), row["cause"])
            for row in rows
        ]


def plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"


async def open_stock_shop(stage: Stage, *, channels: Sequence[str] = ("web",)) -> StockShop:
    """Set the retailer up; each channel shows all there is, from all places."""
    retailer = await stage.retailer()
    for name in ("till", "wms", "web", "market"):
        await stage.connect(retailer, name, "http")
    shop = StockShop(stage, retailer)
    for channel in channels:
        await shop.rule(channel)
    return shop


def event(
    kind: str, name: str, minutes: float, data: dict[str, Any], **more: str
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": name,
        "source": "source",
        "type": f"retail.{kind}.v1",
        "time": at(minutes),
        "data": data,
        **more,
    }


def position(
    quantity: int, minutes: float, location: str = "dc", sku: str = "SKU-1"
) -> dict[str, Any]:
    data = {"sku": sku, "location": location, "available": str(quantity), "as_of": at(minutes)}
    return event("stock.position", f"p-{location}-{sku}-{minutes}-{quantity}", minutes, data)


def count(name: str, quantity: object, minutes: float, **changes: Any) -> dict[str, Any]:
    data = {
        "count_id": name, "sku": "SKU-1", "location": "dc", "quantity": str(quantity),
        "as_of": at(minutes), **changes,
    }  # fmt: skip
    return event("stock.count", f"count-{name}-{quantity}", minutes, data)


def movement(
    name: str, quantity: object, minutes: float, ends: tuple[str, str], **changes: Any
) -> dict[str, Any]:
    data = {
        "movement_id": name, "sku": "SKU-1", "quantity": str(quantity),
        "from_place": {"location": ends[0]}, "to_place": {"location": ends[1]},
        "occurred_at": at(minutes), **changes,
    }  # fmt: skip
    return event("stock.movement", f"move-{name}-{quantity}", minutes, data)


def line(
    number: int, quantity: object, sku: str | None = "SKU-1", **changes: Any
) -> dict[str, Any]:
    value = str(Decimal(str(quantity)) * 10)
    told = {
        "line_id": str(number), "title": "Scarf", "quantity": str(quantity), "unit_price": "10.00",
        "net": value, "gross": value, **changes,
    }  # fmt: skip
    return told if sku is None else {**told, "sku": sku}


def ticket(
    number: int, minutes: float, *lines: dict[str, Any], store: str = "store-1", **changes: Any
) -> dict[str, Any]:
    lines = lines or (line(1, 1),)
    total = str(sum(Decimal(each["gross"]) for each in lines))
    data = {
        "order_id": f"{store}-{number}", "number": str(number), "kind": "pos", "currency": "USD",
        "placed_at": at(minutes), "business_day": "2026-11-20", "store": store, "workstation": "1",
        "sequence": str(number), "total": total, "lines": list(lines), **changes,
    }  # fmt: skip
    return event("till.sale", f"ticket-{store}-{number}-{total}", minutes, data)


def order(
    number: int,
    minutes: float,
    *lines: dict[str, Any],
    verb: str = "placed",
    version: str = "1",
    **changes: Any,
) -> dict[str, Any]:
    lines = lines or (line(1, 1),)
    data = {
        "order_id": f"o-{number}", "number": f"#{number}", "kind": "web", "currency": "USD",
        "placed_at": at(minutes), "total": str(sum(Decimal(each["gross"]) for each in lines)),
        "lines": list(lines), **changes,
    }  # fmt: skip
    return event(f"order.{verb}", f"o-{number}-{version}", minutes, data, objectversion=version)


def shipment(
    name: str, number: int, minutes: float, quantity: object = 1, **changes: Any
) -> dict[str, Any]:
    data = {
        "fulfilment_id": name, "order_id": f"o-{number}", "order_number": f"#{number}",
        "status": "success", "shipped_at": at(minutes), "currency": "USD",
        "lines": [line(1, quantity)], **changes,
    }  # fmt: skip
    return event("order.fulfilled", f"ship-{name}", minutes, data, objectversion="1")
