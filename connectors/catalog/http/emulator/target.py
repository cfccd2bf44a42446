"""What the recording target does with one request: find its trouble, apply once, book, answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec

from connectors.catalog.http.emulator.articles import unknown_article
from connectors.catalog.http.emulator.book import Book, Entry, Seen
from connectors.catalog.http.emulator.faults import Fault, Faults
from connectors.catalog.http.emulator.limits import Headers, Limit
from connectors.sdk.manifest import Webhook
from connectors.sdk.signatures import Refused, verify

_NANOSECONDS = 1_000_000_000
_WEBHOOK = Webhook(scheme="standard_webhooks")


class Envelope(msgspec.Struct):
    """The part of a CloudEvents envelope that judges ask about."""

    id: str = ""
    type: str = ""
    subject: str = ""
    objectversion: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: status, reference of what was done, and whether it leaves at all."""

    status: int
    body: bytes
    seen: Seen = "answered"
    headers: tuple[tuple[str, str], ...] = ()


_TROUBLE: dict[Fault, Reply] = {
    "error": Reply(500, b'{"title":"Something broke here."}'),
    "throttled": Reply(429, b'{"title":"Too many requests."}', headers=(("retry-after", "1"),)),
    "unavailable": Reply(503, b'{"title":"Down for now."}'),
    "unauthorized": Reply(401, b'{"title":"Who are you?"}'),
    "hung": Reply(0, b"", "hung"),
}
_NOTHING = Reply(404, b'{"title":"Nothing was done under this key."}')
_UNSIGNED = Reply(401, b'{"title":"The signature does not fit."}')
_UNREADABLE = Reply(
    400, b'{"title":"This is no CloudEvent.","errors":[{"pointer":"/","code":"json.invalid"}]}'
)


@dataclass(slots=True)
class Target:
    """One recording target. With `secrets` every request must carry a fitting signature.

    A known key is answered as at first with 200, or with `repeat_status` (409 for targets that
    say so). With `articles` it refuses lines of all others (422, the first line named).
    `clock_ns` is the wall clock: this is another system and has its own. With a `limit` more calls
    than it allows are answered 429, before anything else is looked at.
    """

    book: Book = field(default_factory=Book)
    faults: Faults = field(default_factory=Faults)
    seed: int = 1
    secrets: tuple[str, ...] = ()
    repeat_status: int = 200
    articles: frozenset[str] = frozenset()
    clock_ns: Callable[[], int] = time.time_ns
    limit: Limit | None = None

    def show(self, key: str) -> Reply:
        """Say whether something was done under a key; a question is no request of the book."""
        if self.faults.errors or self.faults.unavailable:
            return _TROUBLE["unavailable"]
        return _NOTHING if self.book.is_new(key) else self._done(key, "none", is_effect=True)

    def take(self, headers: dict[str, str], body: bytes) -> Reply:
        """Take one request (header names in lower case); what was done is booked before it is told."""
        now_ns = self.clock_ns()
        key = headers.get("idempotency-key", "")
        if self.secrets and isinstance(
            verify(_WEBHOOK, headers, body, self.secrets, now_ns // _NANOSECONDS), Refused
        ):
            return self._booked(now_ns, key, Envelope(), body, _UNSIGNED)
        try:
            envelope = _ENVELOPE.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._booked(now_ns, key, Envelope(), body, _UNREADABLE)
        problem = unknown_article(body, self.articles) if self.articles else None
        refusal = Reply(422, problem) if problem else None
        return self._booked(now_ns, key, envelope, body, refusal)

    def _booked(
        self, now_ns: int, key: str, envelope: Envelope, body: bytes, refusal: Reply | None
    ) -> Reply:
        book = self.book
        try_number = book.next_try(key)
        fault = self.faults.meet(self.seed, key or envelope.id, try_number)
        over, headers = self._over_limit(now_ns)
        reply = over or refusal or _TROUBLE.get(fault)
        is_effect = reply is None and book.is_new(key)
        if reply is None:
            reply = self._done(key or envelope.id, fault, is_effect=is_effect)
        book.write(
            Entry(
                n=book.request_count + 1,
                at_ns=now_ns,
                key=key,
                lane=envelope.subject,
                type=envelope.type,
                event_id=envelope.id,
                version=envelope.objectversion,
                try_number=try_number,
                status=reply.status,
                seen=reply.seen,
                is_effect=is_effect,
                differs=book.differs(key, body),
            )
        )
        return replace(reply, headers=reply.headers + headers) if headers else reply

    def _over_limit(self, now_ns: int) -> tuple[Reply | None, Headers]:
        if self.limit is None:
            return None, ()
        is_allowed, headers = self.limit.take(now_ns)
        return (None if is_allowed else Reply(429, self.limit.rule.body)), headers

    def _done(self, reference: str, fault: Fault, *, is_effect: bool) -> Reply:
        if fault == "lost":
            return Reply(0, b"", "lost")
        status = 200 if is_effect else self.repeat_status
        return Reply(status, b'{"id":' + msgspec.json.encode(f"rec_{reference}") + b"}")


_ENVELOPE = msgspec.json.Decoder(Envelope)
