"""A retailer whose shop, till and ERP each call the same articles otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.exceptions.recheck.names_came import NamesCame
from app.identities.bind import bind_name, make_identity
from app.identities.bindings import ALWAYS, Kind, Name
from app.identities.store import Grounds
from infra.database.unit import begin
from infra.ids import Id
from tests.app.exceptions.picky import PickyTarget
from tests.stage import Retailer, Stage

TOLD = Grounds("The list of the retailer.")


@dataclass
class NamedShop:
    """The retailer, what its people do to names, and what its targets were told."""

    stage: Stage
    retailer: Retailer
    targets: dict[str, PickyTarget] = field(default_factory=dict)

    async def connect(self, name: str, **settings: Any) -> Id:
        """Add a system."""
        return await self.stage.connect(self.retailer, name, "http", **settings)

    async def target(self, name: str, url: str, keeping: PickyTarget) -> None:
        """Add a system that records what it is told."""
        await self.connect(name, base_url=url)
        await self.stage.give_secret(self.retailer, name, ["signing_secret"])
        self.targets[name] = keeping

    def name(self, system: str, external_id: str, kind: Kind = "variant") -> Name:
        """Give a name in a system."""
        return Name(self.retailer.connections[system], kind, external_id)

    async def article(self, number: str, *, kind: Kind = "variant", **names: str) -> Id:
        """Make an object of ours with this number, and what systems call it since ever."""
        async with self.act() as session:
            identity_id = await make_identity(session, kind, f"Article {number}", number)
            for system, external_id in names.items():
                await bind_name(session, self.name(system, external_id, kind), identity_id, TOLD)
        return identity_id

    async def bind(
        self, system: str, external_id: str, identity_id: Id, since: datetime = ALWAYS
    ) -> None:
        """Bind one more name."""
        async with self.act() as session:
            await bind_name(session, self.name(system, external_id), identity_id, TOLD, since)

    def act(self) -> Any:
        """Open a transaction of the retailer."""
        return begin(self.retailer.scope, self.stage.database)

    async def run(self) -> None:
        """Work until nothing is left to do."""
        async with self.stage.engine():
            await self.stage.rests(self.retailer)

    async def names_came(self) -> int:
        """Let the sweep look twice, as it does within ten seconds; gives what it released."""
        sweep = NamesCame(self.stage.database, lambda: None)
        return await sweep.look() + await sweep.look()

    async def holds(self) -> list[dict[str, Any]]:
        """List what is held now."""
        return await self.stage.rows(
            self.retailer,
            "select id, code, pointer, words from hold where state = 'open' order by id",
        )

    async def breaks(self, kind: str) -> list[dict[str, Any]]:
        """List open breaks of a kind."""
        return await self.stage.rows(
            self.retailer,
            "select key, words, amount, currency from break"
            " where kind = $1 and state = 'open' order by key",
            kind,
        )

    def told(self, system: str) -> list[dict[str, Any]]:
        """Give what a target was told, in order: the bodies of events."""
        return self.targets[system].taken


def stock_told(
    number: str, sku: str, available: str, at: str, location: str = "main"
) -> dict[str, Any]:
    """Write a stock position as a system tells it."""
    return {
        "specversion": "1.0",
        "id": number,
        "source": "source",
        "type": "retail.stock.position.v1",
        "time": at,
        "data": {"sku": sku, "location": location, "available": available, "as_of": at},
    }
