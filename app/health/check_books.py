"""Check the books of all retailers every minute, write them down, and cry out at any difference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.health.books import Balance, Line, connection_books, flow_books
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Session, begin
from infra.telemetry.events import log_event
from infra.telemetry.metrics import METRICS

# Every check looks at the running hour and the one before; older hours that are not yet closed
# (something held, under way or missing) are looked at again as long as they are not.
RECENT = timedelta(hours=2)
OLDEST = timedelta(days=30)

_UNCLOSED = """
select min(hour) from (
    select min(hour) as hour from book_hour
    where (held > 0 or in_flight > 0 or unaccounted <> 0) and hour > $1
    union all
    select min(hour) from flow_hour
    where (held > 0 or in_flight > 0 or unaccounted <> 0) and hour > $1
) unclosed
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: lines looked at, and how many records are unaccounted for in all of them."""

    lines: int
    unaccounted: int


async def check_books(database: Database) -> Checked:
    """Count and store the books; safe to run twice, the later count wins."""
    now = clock.now()
    async with begin(EngineScope(), database) as session:
        oldest = await session.fetch_value(_UNCLOSED, now - OLDEST)
        recent = (now - RECENT).replace(minute=0, second=0, microsecond=0)
        since = min(oldest, recent) if oldest else recent
        connections = await connection_books(session, since, now + timedelta(hours=1))
        flows = await flow_books(session, since, now + timedelta(hours=1))
        await _store(session, "book_hour", "connection_id", "accepted", connections)
        await _store(session, "flow_hour", "flow_id", "routed", flows)
    return _report(connections, flows)


def _report(connections: Mapping[Line, Balance], flows: Mapping[Line, Balance]) -> Checked:
    unaccounted = 0
    for kind, balances in (("connection", connections), ("flow", flows)):
        for (tenant_id, of, _), balance in balances.items():
            if balance.unaccounted:
                unaccounted += abs(balance.unaccounted)
                log_event(
                    "books.unbalanced",
                    level="error",
                    tenant=str(tenant_id),
                    **{kind: str(of)},
                    books_difference=balance.unaccounted,
                )
    METRICS.set_book_difference(unaccounted)
    return Checked(len(connections) + len(flows), unaccounted)


async def _store(
    session: Session, table: str, of: str, accepted: str, balances: Mapping[Line, Balance]
) -> None:
    if not balances:
        return
    lines = sorted(balances.items(), key=lambda item: item[0])
    await session.execute(
        f"insert into {table} (tenant_id, {of}, hour, {accepted}, fates, held, in_flight, unaccounted,"  # noqa: S608
        " checked_at)"
        " select tenant_id, of, hour, accepted, fates::jsonb, held, in_flight, unaccounted, now()"
        " from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::text[], $6::bigint[],"
        " $7::bigint[], $8::bigint[])"
        " as l (tenant_id, of, hour, accepted, fates, held, in_flight, unaccounted)"
        f" on conflict (tenant_id, {of}, hour) do update set {accepted} = excluded.{accepted},"
        " fates = excluded.fates, held = excluded.held, in_flight = excluded.in_flight,"
        " unaccounted = excluded.unaccounted, checked_at = excluded.checked_at",
        [line[0] for line, _ in lines],
        [line[1] for line, _ in lines],
        [line[2] for line, _ in lines],
        [balance.accepted for _, balance in lines],
        [json.dumps(balance.fates) for _, balance in lines],
        [balance.held for _, balance in lines],
        [balance.in_flight for _, balance in lines],
        [balance.unaccounted for _, balance in lines],
    )
