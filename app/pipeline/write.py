"""Write what a batch says: facts, events, lanes, deliveries, holds, and each message's new state."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.deliveries.policy import policy_of_code
from app.pipeline import statements
from app.pipeline.judge import NOTHING_DECIDED, Decided, judge
from app.pipeline.place import LaneKey, Placed, place, wake
from app.pipeline.reading import FETCHED, Batch, Read, Refused, Waiting
from app.pipeline.rows import LABEL_MAX, TEXT_MAX, bookable, clean, columns
from connectors.canonical.event import BODIES
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.ids import Id, new_id
from infra.keys.vault import TenantKey


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: events with routes (for the hand-over), deliveries, messages held."""

    routed: tuple[Read, ...]
    deliveries: int
    held: int


class Writer:
    """Writes one batch within the open transaction of its tenant."""

    def __init__(
        self,
        session: Session,
        tenant_id: Id,
        key: TenantKey,
        decided: Decided = NOTHING_DECIDED,
        *,
        loses_a_delivery: bool = False,
    ) -> None:
        self._session = session
        self._decided = decided
        self._loses_a_delivery = loses_a_delivery
        self._tenant_id = tenant_id
        self._key = key

    async def write(self, batch: Batch) -> Written:
        """Write everything a batch says; all of it or, when the transaction fails, nothing."""
        fresh, merged, conflicts = await self._facts(batch.read)
        held = [*batch.refused, *conflicts]
        judged = await judge(self._session, self._key, self._decided, fresh, held)
        routed, refused = judged.read, judged.refused
        skipped = [*batch.skipped, *judged.skipped]
        placed = await place(self._session, self._tenant_id, routed)
        await self._write_events(routed)
        await self._write_deliveries(placed)
        await wake(self._session, self._tenant_id, placed)
        await self._supersede(placed)
        await self._hold(refused)
        core_only = [read for read in routed if not read.routes]
        await self._move_messages(placed, merged, skipped, refused, core_only)
        return Written(tuple(r for r in routed if r.routes), len(placed), len(refused))

    async def _facts(self, read: list[Read]) -> tuple[list[Read], list[Read], list[Refused]]:
        """Tell new facts from repeats (merged) and from the same fact with other content (held)."""
        named = [r for r in read if r.fact_hash is not None]
        if not named:
            return read, [], []
        connections = [r.message.connection_id for r in named]
        hashes = [r.fact_hash for r in named]
        rows = await self._session.fetch(
            statements.FACTS,
            self._tenant_id,
            connections,
            hashes,
            [r.content_hash for r in named],
            [r.id for r in named],
        )
        new = {row["event_id"] for row in rows}
        repeats = [r for r in named if r.id not in new]
        fresh = [r for r in read if r.fact_hash is None or r.id in new]
        if not repeats:
            return fresh, [], []
        known = await self._session.fetch(
            statements.KNOWN_FACTS,
            self._tenant_id,
            [r.message.connection_id for r in repeats],
            [r.fact_hash for r in repeats],
        )
        content = {repeats[row["ord"] - 1].id: row["content_hash"] for row in known}
        merged = [r for r in repeats if _is_same(r.content_hash, content.get(r.id))]
        changed = [r for r in repeats if not _is_same(r.content_hash, content.get(r.id))]
        return fresh, merged, [Refused(r.message, _changed(r)) for r in changed]

    async def _write_events(self, routed: Sequence[Read]) -> None:
        if not routed:
            return
        await self._session.execute(
            statements.EVENTS,
            self._tenant_id,
            *columns([self._event_row(read) for read in routed]),
        )

    def _event_row(self, read: Read) -> tuple[object, ...]:
        event, message = read.event, read.message
        return (
            read.id,
            message.id,
            message.connection_id,
            event.type,
            BODIES[event.type][1],
            clean(event.key)[:TEXT_MAX],
            clean(event.object_id)[:TEXT_MAX],
            clean(event.version)[:TEXT_MAX],
            clean(event.label)[:LABEL_MAX],
            event.occurred_at,
            event.business_day,
            bookable(event.amount.amount) if event.amount else None,
            event.amount.currency if event.amount else None,
            message.revision,
            ",".join(str(route.flow_id) for route in read.routes),
            self._key.seal(f"event|{read.id}", read.encoded),
            self._key.period,
            message.received_at,
        )

    async def _write_deliveries(self, placed: Sequence[Placed]) -> None:
        # A planted loss, to see that the books find it; only a debug setting switches it on.
        kept = placed[1:] if self._loses_a_delivery else placed
        rows = [self._delivery_row(one) for one in kept]
        if not rows:
            return
        await self._session.execute(statements.DELIVERIES, self._tenant_id, *columns(rows))

    def _delivery_row(self, one: Placed) -> tuple[object, ...]:
        return (
            new_id(),
            one.read.id,
            one.read.message.id,
            one.route.flow_id,
            one.read.message.connection_id,
            one.route.target_connection_id,
            one.lane[1],
            one.seq,
            one.class_,
            "superseded" if one.is_gone else "ready",
            effect_key(self._tenant_id, one.route.flow_id, one.read.id),
            one.read.message.received_at,
            one.read.deadline_at,
        )

    async def _supersede(self, placed: Sequence[Placed]) -> None:
        """Let the newest value of a `latest_wins` lane replace what still waits before it."""
        newest = {
            one.lane: one.seq
            for one in placed
            if one.route.ordering == "latest_wins" and not one.is_gone
        }
        gone: Counter[LaneKey] = Counter(one.lane for one in placed if one.is_superseded)
        if newest:
            rows = await self._session.fetch(
                statements.SUPERSEDE,
                self._tenant_id,
                [lane[0] for lane in newest],
                [lane[1] for lane in newest],
                list(newest.values()),
            )
            await self._close_superseded([row["id"] for row in rows], rows)
            gone.update((row["connection_id"], row["lane_hash"]) for row in rows)
        if gone:
            lanes = sorted(gone.items())
            await self._session.execute(
                statements.UNBLOCK,
                self._tenant_id,
                [lane[0] for lane, _ in lanes],
                [lane[1] for lane, _ in lanes],
                [count for _, count in lanes],
            )

    async def _close_superseded(self, deliveries: list[UUID], rows: Sequence[object]) -> None:
        if not deliveries:
            return
        await self._session.execute(
            "update hold set state = 'superseded', decided_at = now(), reason = 'A newer value came.'"
            " where tenant_id = $1 and delivery_id = any($2) and state = 'open'",
            self._tenant_id,
            deliveries,
        )
        counts: Counter[UUID] = Counter(row["message_id"] for row in rows)  # type: ignore[index]
        ids = sorted(counts)
        await self._session.execute(
            statements.CLOSE_ROUTES,
            self._tenant_id,
            ids,
            [counts[message_id] for message_id in ids],
        )

    async def _hold(self, refused: Sequence[Refused]) -> None:
        if refused:
            rows = [_hold_row(one) for one in refused]
            await self._session.execute(statements.HOLDS, self._tenant_id, *columns(rows))

    async def _move_messages(
        self,
        placed: Sequence[Placed],
        merged: Sequence[Read],
        skipped: Sequence[tuple[Waiting, str]],
        refused: Sequence[Refused],
        core_only: Sequence[Read],
    ) -> None:
        rows: dict[UUID, tuple[object, ...]] = {}
        for read in merged:
            rows[read.message.id] = ("settled", "merged", "merged.same_fact", 0, 0)
        for message, code in skipped:
            rows[message.id] = ("settled", "skipped", code, 0, 0)
        for read in core_only:
            rows[read.message.id] = ("settled", "skipped", "skipped.core_only", 0, 0)
        routes = Counter(one.read.message.id for one in placed)
        open_routes = Counter(one.read.message.id for one in placed if not one.is_gone)
        for message_id, count in routes.items():
            state = "prepared" if open_routes[message_id] else "settled"
            rows[message_id] = (state, "routed", "", count, open_routes[message_id])
        for one in refused:
            rows[one.message.id] = ("held", "", one.hold.code, 0, 0)
        listed = [(message_id, *row) for message_id, row in sorted(rows.items())]
        if listed:
            await self._session.execute(
                statements.MESSAGES,
                self._tenant_id,
                *columns(listed),
                listed[0][0],
                listed[-1][0],
            )


def effect_key(tenant_id: UUID, flow_id: UUID, event_id: UUID) -> str:
    """Name the effect of one event through one flow; the same for every repeat of its delivery."""
    return hashlib.sha256(f"{tenant_id}|{flow_id}|{event_id}".encode()).hexdigest()[:32]


def _is_same(told: bytes, known: bytes | None) -> bool:
    return told == known or FETCHED in {told, known}


def _changed(read: Read) -> HoldRecord:
    event = read.event
    return HoldRecord(
        "record.content_changed",
        "",
        f"{event.label} was already received with other content under the same number and version."
        " Compare both and release this one to apply it, or discard it.",
        event.amount,
    )


def _hold_row(one: Refused) -> tuple[object, ...]:
    hold, message = one.hold, one.message
    position = message.raw.position
    return (
        new_id(),
        message.id,
        message.connection_id,
        hold.code,
        clean(hold.pointer)[:TEXT_MAX],
        clean(hold.words)[:1000],
        clean(f"{position.file} record {position.record}" if position else message.raw.topic)[
            :LABEL_MAX
        ],
        message.position,
        bookable(hold.amount.amount) if hold.amount else None,
        hold.amount.currency if hold.amount else None,
        policy_of_code(hold.code, one.connector).error_class,
    )
