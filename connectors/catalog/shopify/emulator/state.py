"""What the emulated shop knows: articles, stock, keys it has seen, faults to play, and its log."""

from __future__ import annotations

import json
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.catalog.shopify.emulator.bucket import Bucket

LOCATION_GID = "gid://shopify/Location/7001"
# Orders that can still be asked for; the oldest are forgotten, so that a shop may run for days.
ORDERS_KEPT = 20_000
_NAMES = ("Canvas Tote", "Wool Scarf", "Enamel Mug", "Linen Shirt", "Desk Lamp", "Rain Jacket")


@dataclass(frozen=True, slots=True)
class Article:
    """Something the shop sells: its SKU, title and price, and the ids Shopify gives it."""

    sku: str
    title: str
    price: Decimal
    number: int

    @property
    def item_gid(self) -> str:
        """Give the inventory item's id."""
        return f"gid://shopify/InventoryItem/{8000 + self.number}"


@dataclass(slots=True)
class Faults:
    """Troubles still to be played; counts go down as they happen."""

    too_many_requests: int = 0
    server_errors: int = 0
    dropped_answers: int = 0
    duplicate_webhooks: int = 0
    lost_webhooks: int = 0


def own_clock() -> datetime:
    """Say the time of the emulated shop; it is another system and has a clock of its own."""
    return datetime.now(UTC)  # noqa: TID251


@dataclass(slots=True)
class ShopState:
    """One emulated shop; the same seed gives the same articles, orders and ids.

    `orders_per_s` is the pace of orders on their own; 0 is none. `hook_url` gets the webhooks; ""
    keeps them in the log only. `retry_s` is the first wait between webhook attempts and doubles.
    With `memory_path` the shop goes on after a restart where it stopped.
    """

    seed: int = 20261127
    article_count: int = 20
    start_quantity: int = 25
    shop_domain: str = "maple-main.myshopify.com"
    access_token: str = "emulated-access-token"  # noqa: S105 - opens nothing but this emulator
    webhook_secret: str = "emulated-client-secret"  # noqa: S105 - opens nothing but this emulator
    hook_url: str = ""
    orders_per_s: float = 0.0
    retry_s: float = 1.0
    currency: str = "USD"
    tax_rate: Decimal = Decimal("0.0825")
    log_path: Path | None = None
    memory_path: Path | None = None
    clock: Callable[[], datetime] = own_clock
    bucket: Bucket = field(default_factory=lambda: Bucket(clock_s=time.monotonic))
    faults: Faults = field(default_factory=Faults)
    articles: dict[str, Article] = field(init=False)
    available: dict[tuple[str, str], int] = field(init=False)
    used_keys: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    outbox: deque[tuple[str, bytes, str]] = field(default_factory=deque)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    random: random.Random = field(init=False)
    order_count: int = 0
    group_count: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - repeatable, not secret
        made = [self._article(number) for number in range(1, self.article_count + 1)]
        self.articles = {article.sku: article for article in made}
        self.available = {(article.item_gid, LOCATION_GID): self.start_quantity for article in made}
        if self.memory_path is not None and self.memory_path.is_file():
            self._remember(json.loads(self.memory_path.read_text("utf-8")))

    def keep(self) -> None:
        """Write down order count and stock, so that the shop goes on where it stopped."""
        if self.memory_path is not None:
            stock = [[*place, quantity] for place, quantity in self.available.items()]
            unfinished = self.memory_path.with_suffix(".part")
            unfinished.write_text(json.dumps({"orders": self.order_count, "stock": stock}), "utf-8")
            unfinished.replace(self.memory_path)

    def _remember(self, kept: dict[str, Any]) -> None:
        self.order_count = kept["orders"]
        self.available.update({(item, place): count for item, place, count in kept["stock"]})
        # Other customers come than in the run before, with other webhook ids.
        self.random = random.Random(self.seed + self.order_count)  # noqa: S311 - repeatable

    def remember_order(self, order: dict[str, Any]) -> None:
        """Keep an order as it is now, by Shopify's own id, so that it can be asked for."""
        self.orders[order["admin_graphql_api_id"]] = order
        if len(self.orders) > ORDERS_KEPT:
            del self.orders[next(iter(self.orders))]

    def note(self, kind: str, **facts: Any) -> None:
        """Write one line of the judges' log."""
        entry = {"at": self.clock().isoformat(), "kind": kind, **facts}
        self.log.append(entry)
        if self.log_path is not None:
            with self.log_path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def _article(self, number: int) -> Article:
        name = _NAMES[number % len(_NAMES)]
        price = Decimal(self.random.randint(500, 15_000)) / 100
        return Article(
            f"MM-{number:04d}", f"{name} {number}", price.quantize(Decimal("0.01")), number
        )
