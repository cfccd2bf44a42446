"""Write what a batch says: facts, events, lanes, deliveries, holds, and each message's new state."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from app.flows.routes import Route
from app.pipeline import statements
from app.pipeline.reading import Batch, Read, Refused, Waiting
from connectors.canonical.event import BODIES
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.ids import Id, new_id
from infra.keys.vault import TenantKey

LANE_HASH_BYTES = 16
LABEL_MAX = 200
TEXT_MAX = 500

LaneKey = tuple[UUID, bytes]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: events with routes (for the hand-over), deliveries, messages held."""

    routed: tuple[Read, ...]
    deliveries: int
    held: int


@dataclass(slots=True)
class _Placed:
    """One delivery to write, with its place in its lane."""

    read: Read
    route: Route
    lane: LaneKey
    seq: int = 0
    is_superseded: bool = False


class Writer:
    """Writes one batch within the open transaction of its tenant."""

    def __init__(
        self, session: Session, tenant_id: Id, key: TenantKey, *, loses_a_delivery: bool = False
    ) -> None:
        self._session = session
        self._loses_a_delivery = loses_a_delivery
        self._tenant_id = tenant_id
        self._key = key

    async def write(self, batch: Batch) -> Written:
        """Write everything a batch says; all of it or, when the transaction fails, nothing."""
        fresh, merged, conflicts = await self._facts(batch.read)
        refused = [*batch.refused, *conflicts]
        blocked = {one.message.id for one in refused}
        routed = [read for read in fresh if read.message.id not in blocked]
        placed = await self._place(routed)
        await self._write_events(routed)
        await self._write_deliveries(placed)
        await self._supersede(placed)
        await self._hold(refused)
        await self._move_messages(placed, merged, batch.skipped, refused)
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
        merged = [r for r in repeats if content.get(r.id) == r.content_hash]
        changed = [r for r in repeats if content.get(r.id) != r.content_hash]
        return fresh, merged, [Refused(r.message, _changed(r)) for r in changed]

    async def _place(self, routed: Sequence[Read]) -> list[_Placed]:
        """Give each delivery its lane and its number; earlier values of one batch are superseded."""
        placed = [
            _Placed(read, route, (route.target_connection_id, _lane_hash(read, route)))
            for read in routed
            for route in read.routes
        ]
        if not placed:
            return []
        lanes: dict[LaneKey, list[_Placed]] = defaultdict(list)
        for one in placed:
            lanes[one.lane].append(one)
        rows = await self._session.fetch(
            statements.LANES,
            self._tenant_id,
            [lane[0] for lane in lanes],
            [lane[1] for lane in lanes],
            [_clean(of_lane[0].read.event.key)[:LABEL_MAX] for of_lane in lanes.values()],
            [min(one.route.class_ for one in of_lane) for of_lane in lanes.values()],
            [len(of_lane) for of_lane in lanes.values()],
        )
        for row in rows:
            of_lane = lanes[row["connection_id"], row["lane_hash"]]
            first = row["next_seq"] - len(of_lane)
            for offset, one in enumerate(of_lane):
                one.seq = first + offset
                is_last = offset == len(of_lane) - 1
                one.is_superseded = one.route.ordering == "latest_wins" and not is_last
        return placed

    async def _write_events(self, routed: Sequence[Read]) -> None:
        if not routed:
            return
        await self._session.execute(
            statements.EVENTS,
            self._tenant_id,
            *_columns([self._event_row(read) for read in routed]),
        )

    def _event_row(self, read: Read) -> tuple[object, ...]:
        event, message = read.event, read.message
        return (
            read.id,
            message.id,
            message.connection_id,
            event.type,
            BODIES[event.type][1],
            _clean(event.key)[:TEXT_MAX],
            _clean(event.object_id)[:TEXT_MAX],
            _clean(event.version)[:TEXT_MAX],
            _clean(event.label)[:LABEL_MAX],
            event.occurred_at,
            event.business_day,
            _amount(event.amount.amount) if event.amount else None,
            event.amount.currency if event.amount else None,
            message.revision,
            ",".join(str(route.flow_id) for route in read.routes),
            self._key.seal(f"event|{read.id}", read.encoded),
            self._key.period,
            message.received_at,
        )

    async def _write_deliveries(self, placed: Sequence[_Placed]) -> None:
        # A planted loss, to see that the books find it; only a debug setting switches it on.
        kept = placed[1:] if self._loses_a_delivery else placed
        rows = [self._delivery_row(one) for one in kept]
        if not rows:
            return
        await self._session.execute(statements.DELIVERIES, self._tenant_id, *_columns(rows))

    def _delivery_row(self, one: _Placed) -> tuple[object, ...]:
        return (
            new_id(),
            one.read.id,
            one.read.message.id,
            one.route.flow_id,
            one.read.message.connection_id,
            one.route.target_connection_id,
            one.lane[1],
            one.seq,
            one.route.class_,
            "superseded" if one.is_superseded else "ready",
            effect_key(self._tenant_id, one.route.flow_id, one.read.id),
            one.read.message.received_at,
        )

    async def _supersede(self, placed: Sequence[_Placed]) -> None:
        """Let the newest value of a `latest_wins` lane replace what still waits before it."""
        newest = {
            one.lane: one.seq
            for one in placed
            if one.route.ordering == "latest_wins" and not one.is_superseded
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
            await self._session.execute(statements.HOLDS, self._tenant_id, *_columns(rows))

    async def _move_messages(
        self,
        placed: Sequence[_Placed],
        merged: Sequence[Read],
        skipped: Sequence[tuple[Waiting, str]],
        refused: Sequence[Refused],
    ) -> None:
        rows: dict[UUID, tuple[object, ...]] = {}
        for read in merged:
            rows[read.message.id] = ("settled", "merged", "merged.same_fact", 0, 0)
        for message, code in skipped:
            rows[message.id] = ("settled", "skipped", code, 0, 0)
        routes = Counter(one.read.message.id for one in placed)
        open_routes = Counter(one.read.message.id for one in placed if not one.is_superseded)
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
                *_columns(listed),
                listed[0][0],
                listed[-1][0],
            )


def effect_key(tenant_id: UUID, flow_id: UUID, event_id: UUID) -> str:
    """Name the effect of one event through one flow; the same for every repeat of its delivery."""
    return hashlib.sha256(f"{tenant_id}|{flow_id}|{event_id}".encode()).hexdigest()[:32]


def _lane_hash(read: Read, route: Route) -> bytes:
    """Name the lane: events of one key to one target wait for each other, others never.

    Values of which the latest wins have a lane for each flow: a value that one flow sends must not
    take the place of the same value that another flow sends elsewhere in the same system.
    """
    parts = {"strict": "", "latest_wins": f"|{route.flow_id}", "none": f"|{read.id}"}
    key = read.event.key + parts[route.ordering]
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:LANE_HASH_BYTES]


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
        _clean(hold.pointer)[:TEXT_MAX],
        _clean(hold.words)[:1000],
        _clean(f"{position.file} record {position.record}" if position else message.raw.topic)[
            :LABEL_MAX
        ],
        message.position,
        _amount(hold.amount.amount) if hold.amount else None,
        hold.amount.currency if hold.amount else None,
    )


_LARGEST = Decimal(10) ** 13


def _amount(amount: Decimal) -> Decimal | None:
    """Give an amount that the book can hold; one beyond 10^13 is no price and is not summed up."""
    return amount if amount.is_finite() and abs(amount) < _LARGEST else None


def _clean(text: str) -> str:
    # PostgreSQL text holds neither NUL nor lone surrogates; the original stays in the sealed body.
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _columns(rows: Sequence[tuple[object, ...]]) -> tuple[list[object], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))
