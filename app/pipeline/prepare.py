"""T2: turn a batch of one tenant's messages into events and deliveries, in one transaction."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.connections.directory import ConnectionBook
from app.deliveries.handover import HandOver
from app.flows.routes import RouteBook, Routes
from app.identities.known import NamingSystems
from app.intake.incoming import WHOLE_FILE, body_context
from app.ownership.book import OwnershipBook
from app.pipeline import suspects
from app.pipeline.apply import TAKEN
from app.pipeline.judge import Decided
from app.pipeline.next_messages import take_suspect, take_waiting
from app.pipeline.reading import Batch, Read, Refused, Waiting, read_batch
from app.pipeline.write import Writer, Written
from connectors import registry
from connectors.sdk.connector import Connector
from connectors.sdk.message import HoldRecord, Position, RawMessage
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Row, Session, begin
from infra.errors import PlatformError
from infra.ids import Id, new_id
from infra.keys.vault import TenantKey, Vault

# The debug-only fault (TILLWIRE_FAULTS) that loses one delivery of each batch.
LOSE_DELIVERY = "lose_delivery"

_ONE_AT_A_TIME = "select pg_try_advisory_xact_lock(hashtextextended('prepare:' || $1::text, 0))"
SUSPECTS_PER_TURN = 50


@dataclass(frozen=True, slots=True)
class Prepared:
    """What one round did: messages taken, deliveries made, messages held."""

    messages: int = 0
    deliveries: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class _Turn:
    """One tenant's turn: whose, under which key, by which routes, and what the retailer decided."""

    scope: TenantScope
    key: TenantKey
    routes: Routes
    decided: Decided


@dataclass(frozen=True, slots=True)
class _Step:
    """What one transaction did; `suspects` says that more of them wait to be read alone."""

    done: Prepared = field(default_factory=Prepared)
    routed: tuple[Read, ...] = ()
    suspects: bool = False


class Preparer:
    """Prepares one tenant at a time: its messages in order of acceptance, without network.

    Two workers never prepare the same tenant at once (advisory lock), so events of one key get
    their lane numbers in the order in which they were accepted. What a worker that died was reading
    comes first, message by message (`suspects.py`).
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
        self._naming = NamingSystems(database)
        self._ownership = OwnershipBook(database)
        self._hand_over = hand_over
        # Not host and process id: in a container the next process has the same ones.
        self._life = str(new_id())

    async def prepare(self, tenant_id: Id, limit: int) -> Prepared:
        """Prepare up to `limit` messages; killed anywhere, nothing has happened and it starts over.

        Takes a second connection for a moment, while the first holds the lock of the tenant.
        """
        turn = _Turn(
            TenantScope(tenant_id, "engine"),
            await self._vault.current(tenant_id),
            await self._routes.routes(tenant_id),
            Decided(await self._naming.of(tenant_id), await self._ownership.of(tenant_id)),
        )
        total = Prepared()
        for _ in range(SUSPECTS_PER_TURN):
            step = await self._one_step(turn, limit)
            for read in step.routed:
                self._hand_over.put(tenant_id, read.id, read.event, read.message.trace_parent)
            total = _added(total, step.done)
            if not step.suspects:
                break
        return total

    async def _one_step(self, turn: _Turn, limit: int) -> _Step:
        try:
            async with begin(turn.scope, self._database) as session:
                return await self._step(session, turn, limit)
        except BaseException:
            # We live: what was marked is no suspect. (A book that is away keeps the mark.)
            with contextlib.suppress(PlatformError):
                await suspects.unmark_own(turn.scope, self._life, self._database)
            raise

    async def _step(self, session: Session, turn: _Turn, limit: int) -> _Step:
        tenant_id = turn.scope.tenant_id
        if not await session.fetch_value(_ONE_AT_A_TIME, str(tenant_id)):
            return _Step()
        left = await suspects.left_behind(session, self._life)
        if left:
            suspect = await take_suspect(session, tenant_id, left)
            if suspect:
                return await self._alone(session, turn, suspect)
        return await self._batch(session, turn, limit)

    async def _batch(self, session: Session, turn: _Turn, limit: int) -> _Step:
        rows = await take_waiting(session, turn.scope.tenant_id, limit)
        if not rows:
            await suspects.unmark(session)
            return _Step()
        messages, sources = await self._opened(session, rows, turn)
        await suspects.mark(turn.scope, self._life, [m.id for m in messages], self._database)
        batch = read_batch(messages, sources.connectors, turn.routes, TAKEN)
        written = await self._write(session, turn, batch)
        await suspects.unmark(session)
        return _Step(_counted(len(rows), written), written.routed)

    async def _alone(self, session: Session, turn: _Turn, suspect: Sequence[Row]) -> _Step:
        """Read one suspect alone, or hold it when workers died of just that too often."""
        messages, sources = await self._opened(session, suspect, turn)
        message = messages[0]
        if message.crash_count >= suspects.READS_BEFORE_HOLD:
            batch = Batch(refused=[Refused(message, suspects.crashed())])
        else:
            await suspects.blame_if_we_die(turn.scope, message.id, self._database)
            batch = read_batch(messages, sources.connectors, turn.routes, TAKEN)
        written = await self._write(session, turn, batch)
        await suspects.clear_one(session, message.id)
        return _Step(_counted(1, written), written.routed, suspects=True)

    async def _write(self, session: Session, turn: _Turn, batch: Batch) -> Written:
        writer = Writer(
            *(session, turn.scope.tenant_id, turn.key, turn.decided),
            loses_a_delivery=self._loses_a_delivery,
        )
        return await writer.write(batch)

    async def _opened(
        self, session: Session, rows: Sequence[Row], turn: _Turn
    ) -> tuple[list[Waiting], _Sources]:
        sources = await _sources(session, turn.scope.tenant_id, rows)
        opened = []
        for row in rows:
            key = turn.key
            if row["period"] != key.period:
                key = await self._vault.of(key.tenant_id, row["period"], session)
            opened.append(_open(row, key, sources.settings.get(row["connection_id"], {})))
        return opened, sources


def _counted(messages: int, written: Written) -> Prepared:
    return Prepared(messages, written.deliveries, written.held)


def _added(one: Prepared, other: Prepared) -> Prepared:
    return Prepared(
        one.messages + other.messages,
        one.deliveries + other.deliveries,
        one.held + other.held,
    )


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
