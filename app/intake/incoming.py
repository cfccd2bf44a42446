"""One message about to be stored, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.sdk.message import Position
from infra.ids import Id, new_id
from infra.keys.vault import TenantKey

# The topic of a file of which no record can be trusted: it is held as one message.
WHOLE_FILE = "file"
# Set by us on a message that we asked its source for; no sender's header gets this far.
FETCHED_HEADER = "x-fetched"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that passed the door: whose, from where, under which dedup key, its raw bytes.

    `dedup` is the sender's own id of this message where there is one (event id, natural key and
    content of a file's record); equal ids of one connection are one message.
    """

    tenant_id: Id
    connection_id: Id
    topic: str
    dedup: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    position: Position | None = None
    file_id: Id | None = None
    trace_parent: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The durable promise: stored as `message_id`, or already stored before under that id.

    `has_other_content` marks a repeat of the same id with other bytes: kept out, and worth a look.
    """

    message_id: Id
    is_duplicate: bool
    has_other_content: bool = False


@dataclass(frozen=True, slots=True)
class Sealed:
    """An incoming message with its id, hashes and encrypted body: ready to be written."""

    incoming: Incoming
    id: Id
    dedup_hash: bytes
    body_sha256: bytes
    sealed: bytes
    period: int


def body_context(message_id: Id, revision: int = 0) -> str:
    """Name the place of a body, so that a body moved elsewhere cannot be opened."""
    return f"message_body|{message_id}|{revision}"


def seal(incoming: Incoming, key: TenantKey) -> Sealed:
    """Give a message its id and encrypt its body for this place alone."""
    message_id = new_id()
    return Sealed(
        incoming=incoming,
        id=message_id,
        dedup_hash=hashlib.sha256(incoming.dedup.encode("utf-8", "surrogatepass")).digest(),
        body_sha256=hashlib.sha256(incoming.body).digest(),
        sealed=key.seal(body_context(message_id), incoming.body),
        period=key.period,
    )
