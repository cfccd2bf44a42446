"""T2: turn a batch of one tenant's messages into events and deliveries, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.connections.directory import ConnectionBook
from app.deliveries.handover import HandOver
from app.flows.routes import RouteBook
from app.intake.incoming import WHOLE_FILE, body_context
from app.pipeline.reading import Waiting, read_batch
from app.pipeline.write import Writer
from connectors import registry
from connectors.sdk.connector import Connector
from connectors.sdk.message import HoldRecord, Position, RawMessage
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.ids import Id
from infra.keys.vault import TenantKey, Vault

# The debug-only fault (TILLWIRE_FAULTS) that loses one delivery of each batch.
LOSE_DELIVERY = "lose_delivery"

_ONE_AT_A_TIME = "select pg_try_advisory_xact_lock(hashtextextended('prepare:' || $1::text, 0))"
_WAITING = """
select m.id, m.connection_id, m.topic, m.revision, m.crash_count, m.file_id, m.position,
    m.trace_parent, m.received_at, b.headers, b.sealed, b.period, b.revision as body_revision
from message m
join lateral (select headers, sealed, period, revision from message_body
    where tenant_id = m.tenant_id and message_id = m.id and revision <= m.revision
    order by revision desc limit 1) b on true
where m.tenant_id = $1 and m.is_waiting
order by m.accept_seq limit $2
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What one round did: messages taken, deliveries made, messages held."""

    messages: int = 0
    deliveries: int = 0
    held: int = 0


class Preparer:
    """Prepares one tenant at a time: its messages in order of acceptance, without network.

    Two workers never prepare the same tenant at once (advisory lock), so events of one key get
    their lane numbers in the order in which they were accepted.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        connections: ConnectionBook,
        routes: RouteBook,
        hand_over: HandOver,
        *,
        fault: str = "none",
    ) -> None:
        self._database = database
        self._loses_a_delivery = fault == LOSE_DELIVERY
        self._vault = vault
        self._connections = connections
        self._routes = routes
        self._hand_over = hand_over

    async def prepare(self, tenant_id: Id, limit: int) -> Prepared:
        """Prepare up to `limit` messages; killed anywhere, nothing has happened and it starts over."""
        key = await self._vault.current(tenant_id)
        routes = await self._routes.routes(tenant_id)
        async with begin(TenantScope(tenant_id, "engine"), self._database) as session:
            if not await session.fetch_value(_ONE_AT_A_TIME, str(tenant_id)):
                return Prepared()
            rows = await session.fetch(_WAITING, tenant_id, limit)
            if not rows:
                return Prepared()
            sources = await _sources(session, tenant_id, rows)
            messages = await self._opened(session, rows, key, sources)
            batch = read_batch(messages, sources.connectors, routes)
            writer = Writer(session, tenant_id, key, loses_a_delivery=self._loses_a_delivery)
            written = await writer.write(batch)
        for read in written.routed:
            self._hand_over.put(tenant_id, read.id, read.event, read.message.trace_parent)
        return Prepared(len(rows), written.deliveries, written.held)

    async def _opened(
        self, session: Session, rows: Sequence[Row], current: TenantKey, sources: _Sources
    ) -> list[Waiting]:
        opened = []
        for row in rows:
            key = current
            if row["period"] != current.period:
                key = await self._vault.of(current.tenant_id, row["period"], session)
            opened.append(_open(row, key, sources.settings.get(row["connection_id"], {})))
        return opened


@dataclass(frozen=True, slots=True)
class _Sources:
    """The connections that a batch came from: what reads them, and how they are set up."""

    connectors: dict[Id, Connector]
    settings: dict[Id, dict[str, object]]


async def _sources(session: Session, tenant_id: Id, rows: Sequence[Row]) -> _Sources:
    found = await session.fetch(
        "select id, connector, settings from connection where tenant_id = $1 and id = any($2)",
        tenant_id,
        list({row["connection_id"] for row in rows}),
    )
    known = registry.names()
    return _Sources(
        {row["id"]: registry.load(row["connector"]) for row in found if row["connector"] in known},
        {row["id"]: json.loads(row["settings"]) for row in found},
    )


def _open(row: Row, key: TenantKey, settings: dict[str, object]) -> Waiting:
    headers = json.loads(row["headers"])
    position = json.loads(row["position"]) if row["position"] else None
    return Waiting(
        id=row["id"],
        connection_id=row["connection_id"],
        revision=row["revision"],
        crash_count=row["crash_count"],
        file_id=row["file_id"],
        position=row["position"],
        trace_parent=row["trace_parent"],
        received_at=row["received_at"],
        raw=RawMessage(
            topic=row["topic"],
            body=key.open(body_context(row["id"], row["body_revision"]), row["sealed"]),
            received_at=row["received_at"],
            headers=headers,
            position=Position(**position) if position else None,
            settings=settings,
        ),
        problem=_problem(headers) if _is_as_cut(row) else None,
    )


def _is_as_cut(row: Row) -> bool:
    """Say whether what the cutting found still counts: not after a person released the record.

    What makes a record unreadable is found again when it is read. A file as a whole is never read.
    """
    is_whole_file = row["topic"] == WHOLE_FILE and row["body_revision"] == 0
    return bool(row["revision"] == 0 or is_whole_file)


def _problem(headers: dict[str, str]) -> HoldRecord | None:
    """Read back what the cutting of a file already found out about this record."""
    told = headers.get("x-problem")
    if told is None:
        return None
    problem = json.loads(told)
    return HoldRecord(problem["code"], problem["pointer"], problem["words"])
