"""Tell rows of the book as one life line: what happened, when, to whom, in one sentence each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from infra.database.unit import Row

Kind = Literal["received", "read", "routed", "attempted", "settled", "held", "decided"]
Fact = str | int | None

# What stands first when several things happened in the same microsecond.
_ORDER: dict[Kind, int] = {
    "received": 0, "read": 1, "routed": 2, "attempted": 3, "held": 4, "decided": 5, "settled": 6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, at a moment (UTC); `facts` are its particulars by name."""

    at: datetime
    kind: Kind
    words: str
    message_id: UUID | None = None
    event_id: UUID | None = None
    delivery_id: UUID | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of the book that a life line is told from; `names` of connections and flows."""

    messages: Sequence[Row]
    events: Sequence[Row]
    deliveries: Sequence[Row]
    attempts: Sequence[Row]
    holds: Sequence[Row]
    names: Mapping[UUID, str]


def entries_of(rows: Rows) -> list[Entry]:
    """Give one entry for each thing that happened, oldest first."""
    received = {row["id"]: row["received_at"] for row in rows.messages}
    of_delivery = {row["id"]: row for row in rows.deliveries}
    entries = [
        *(_received(row, rows.names) for row in rows.messages),
        *(_read(row, received) for row in rows.events),
        *(entry for row in rows.deliveries for entry in _delivery(row, rows.names)),
        *(_attempted(row, of_delivery[row["delivery_id"]], rows.names) for row in rows.attempts),
        *(entry for row in rows.holds for entry in _hold(row)),
    ]
    return sorted(entries, key=lambda entry: (entry.at, _ORDER[entry.kind]))


def _received(row: Row, names: Mapping[UUID, str]) -> Entry:
    source = names.get(row["connection_id"], "")
    position: dict[str, Fact] = json.loads(row["position"]) if row["position"] else {}
    where = f", {position['file']} record {position['record']}" if position else ""
    facts = {
        "connection": source,
        "topic": row["topic"],
        "sender_id": row["dedup_label"],
        "state": row["state"],
        "fate": row["fate"],
        "code": row["code"],
        **{f"position_{name}": value for name, value in position.items()},
    }
    words = f"{row['topic']} received from {source}{where}"
    return Entry(row["received_at"], "received", words, message_id=row["id"], facts=facts)


def _read(row: Row, received: Mapping[UUID, datetime]) -> Entry:
    # An event's id is made when the message is read; its milliseconds are the moment of reading.
    at = _moment_of(row["id"], received.get(row["message_id"]))
    amount = row["amount"]
    facts = {
        "type": row["type"],
        "contract": row["contract"],
        "key": row["key"],
        "revision": row["revision"],
        "amount": None if amount is None else f"{amount:f}",
        "currency": row["currency"],
        "occurred_at": row["occurred_at"].isoformat(),
    }
    words = f"{row['label']}: {row['type']}" + (" (edited)" if row["revision"] else "")
    return Entry(at, "read", words, row["message_id"], row["id"], facts=facts)


def _delivery(row: Row, names: Mapping[UUID, str]) -> Iterator[Entry]:
    target, flow = names.get(row["connection_id"], ""), names.get(row["flow_id"], "")
    facts = {
        "target": target,
        "flow": flow,
        "state": row["state"],
        "external_ref": row["external_ref"],
        "code": row["code"],
    }
    ids = (row["message_id"], row["event_id"], row["id"])
    made = _moment_of(row["id"], row["accepted_at"])
    yield Entry(made, "routed", f"routed to {target} by {flow}", *ids, facts)
    if row["settled_at"] is not None:
        called = f" as {row['external_ref']}" if row["external_ref"] else ""
        words = f"{row['state']} at {target}{called}"
        yield Entry(row["settled_at"], "settled", words, *ids, facts)


def _attempted(row: Row, delivery: Row, names: Mapping[UUID, str]) -> Entry:
    target = names.get(delivery["connection_id"], "")
    facts = {
        "target": target,
        "number": row["number"],
        "outcome": row["outcome"],
        "took_ms": row["took_ms"],
        "status": row["status"],
        "code": row["code"],
        "words": row["words"],
    }
    words = f"attempt {row['number']} at {target}: {row['outcome']} in {row['took_ms']} ms"
    ids = (delivery["message_id"], delivery["event_id"], row["delivery_id"])
    return Entry(row["started_at"], "attempted", words, *ids, facts)


def _hold(row: Row) -> Iterator[Entry]:
    facts = {
        "hold_id": str(row["id"]),
        "code": row["code"],
        "pointer": row["pointer"],
        "state": row["state"],
        "reason": row["reason"],
        "decided_by": row["decided_by"],
    }
    ids = (row["message_id"], None, row["delivery_id"])
    yield Entry(row["created_at"], "held", f"held: {row['words']}", *ids, facts)
    if row["decided_at"] is not None:
        by = f" by {row['decided_by']}" if row["decided_by"] else ""
        why = f": {row['reason']}" if row["reason"] else ""
        yield Entry(row["decided_at"], "decided", f"{row['state']}{by}{why}", *ids, facts)


def _moment_of(made: UUID, not_before: datetime | None) -> datetime:
    """Read the moment out of a UUIDv7; clocks of two machines may differ, cause comes first."""
    at = datetime.fromtimestamp((made.int >> 80) / 1000, tz=UTC)
    return at if not_before is None else max(at, not_before)
