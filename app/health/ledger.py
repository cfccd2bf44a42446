"""Read one retailer's books, as its API and the command line show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.health.books import Balance, Line, connection_books, flow_books
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One hour of one connection (`kind` connection) or of one flow (`kind` flow)."""

    kind: str
    id: UUID
    name: str
    hour: datetime
    balance: Balance


@dataclass(frozen=True, slots=True)
class Ledger:
    """The books of one retailer over a time range (UTC), counted at one moment."""

    since: datetime
    until: datetime
    counted_at: datetime
    total: Balance
    lines: tuple[LedgerLine, ...]

    @property
    def unaccounted(self) -> int:
        """Give the sum of all differences, none cancelling another; must be 0."""
        return sum(abs(line.balance.unaccounted) for line in self.lines)


async def read_ledger(
    scope: TenantScope, database: Database, since: datetime, until: datetime
) -> Ledger:
    """Count the books of a retailer now; `since` and `until` are aware, until is excluded."""
    async with begin(scope, database) as session:
        connections = await connection_books(session, since, until, scope.tenant_id)
        flows = await flow_books(session, since, until, scope.tenant_id)
        rows = await session.fetch(
            "select id, name from connection where tenant_id = $1"
            " union all select id, name from flow where tenant_id = $1",
            scope.tenant_id,
        )
    names = {row["id"]: row["name"] for row in rows}
    return Ledger(
        since=since,
        until=until,
        counted_at=clock.now(),
        total=sum(connections.values(), Balance()),
        lines=(*_lines("connection", connections, names), *_lines("flow", flows, names)),
    )


def _lines(
    kind: str, balances: Mapping[Line, Balance], names: Mapping[UUID, str]
) -> list[LedgerLine]:
    return [
        LedgerLine(kind, of, names.get(of, ""), hour, balance)
        for (_, of, hour), balance in sorted(balances.items(), key=lambda item: item[0])
    ]
