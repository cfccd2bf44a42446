"""The manifest of a connector: what it is, how it is authenticated, what it can and may do."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from connectors.sdk.errors import ErrorRule

KeyStyle = Literal["native", "external_ref", "lookup", "none"]
AuthScheme = Literal["none", "bearer", "header", "basic", "standard_webhooks"]
WebhookScheme = Literal["none", "standard_webhooks", "hmac_sha256_base64", "hmac_sha256_hex"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Action(_Strict):
    """Something the system can be told: which events it takes and how repeats are made harmless.

    `keys`: native (idempotency key), external_ref (our reference is unique there), lookup (ask before
    sending again), none (only for values where the latest wins).
    `repeats`: what the same key with other content does there (no_op or update). `keys_kept_h`: for
    how long the target knows a key (hours), for ever when left out. `effects`: what a delivery sets
    off beside the record itself ("sends the customer a mail"), for whoever replays.
    """

    name: str
    events: list[str]
    keys: KeyStyle
    title: str
    repeats: Literal["no_op", "update"] = "no_op"
    keys_kept_h: float | None = Field(default=None, gt=0)
    effects: list[str] = Field(default_factory=list)


class Stream(_Strict):
    """Something the system tells when asked: how often (seconds) and what it yields."""

    name: str
    events: list[str]
    every_s: float = 60.0
    title: str


class Auth(_Strict):
    """How calls are authenticated; `field` names the secret, `header` where it goes.

    `basic` uses the secret fields `username` and `password`.
    """

    scheme: AuthScheme = "none"
    field: str = ""
    header: str = ""


class Webhook(_Strict):
    """How the system signs what it pushes; ids and topics come from headers (lower case).

    `field` names the secret. `id_header` carries the sender's own event id (dedup), empty when there
    is none. `topic_header` names the topic; `topic` is used when there is no such header.
    """

    scheme: WebhookScheme = "none"
    field: str = "webhook_secret"
    signature_header: str = ""
    id_header: str = ""
    topic_header: str = ""
    topic: str = ""
    keep_headers: list[str] = Field(default_factory=list)


class Quota(_Strict):
    """The vendor's published limits for one credential, with their source.

    A quota with a `name` holds for the calls that name it, and for those of the operations (actions
    and streams) under `match`; the one without a name holds for all others.
    """

    name: str = ""
    match: list[str] = Field(default_factory=list)
    rate_per_s: float = Field(default=50.0, gt=0)
    burst: float = Field(default=100.0, ge=1)
    parallel: int = Field(default=8, ge=1)
    source: str = ""


class VendorVersion(_Strict):
    """A version of the vendor's API and the day it ends (ISO date), if it does."""

    name: str
    sunset: str | None = None


class Clock(_Strict):
    """A deadline that the vendor sets on an event of its own, with what missing it costs.

    `counted_from`: when it happened at the vendor (occurred), or when we took it (accepted). `words`
    are for people ("Walmart wants every order acknowledged within 4 hours."); `source` is the page
    that says so, as read on `read_on`.
    """

    name: str
    event: str
    within_s: float = Field(gt=0)
    counted_from: Literal["occurred", "accepted"] = "occurred"
    words: str = Field(min_length=1)
    source: str = Field(pattern=r"^https://")
    read_on: date

    def ends_at(self, occurred_at: datetime, accepted_at: datetime) -> datetime:
        """Give the moment at which this clock runs out."""
        start = occurred_at if self.counted_from == "occurred" else accepted_at
        return start + timedelta(seconds=self.within_s)


class Manifest(_Strict):
    """One connector as its folder declares it (`manifest.toml`)."""

    name: str
    title: str
    version: str
    summary: str
    roles: list[
        Literal["till", "shop", "marketplace", "erp", "wms", "finance", "crm", "any", "core"]
    ]
    receives: list[Literal["webhook", "poll", "file", "api", "internal"]] = Field(
        default_factory=list
    )
    reads: list[str] = Field(default_factory=list)
    settings: dict[str, str] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    auth: Auth = Auth()
    webhook: Webhook = Webhook()
    quota: Quota = Quota()
    quotas: list[Quota] = Field(default_factory=list)
    streams: list[Stream] = Field(default_factory=list)
    actions: list[Action] = Field(default_factory=list)
    capabilities: dict[str, bool | str] = Field(default_factory=dict)
    vendor_versions: list[VendorVersion] = Field(default_factory=list)
    # The header (lower case) in which answers state the version of the vendor's API.
    version_header: str = ""
    errors: list[ErrorRule] = Field(default_factory=list)
    clocks: list[Clock] = Field(default_factory=list)

    def action(self, name: str) -> Action | None:
        """Find a declared action by name."""
        return next((action for action in self.actions if action.name == name), None)

    def quota_of(self, bucket: str) -> Quota:
        """Give the quota that a call names, or that of an operation; the common one without any."""
        return next((q for q in self.quotas if bucket == q.name or bucket in q.match), self.quota)

    def first_deadline(
        self, event_type: str, occurred_at: datetime, accepted_at: datetime
    ) -> tuple[datetime, Clock] | None:
        """Give the clock on an event that runs out first, and when; None when there is none."""
        clocks = [clock for clock in self.clocks if clock.event == event_type]
        ends = [(clock.ends_at(occurred_at, accepted_at), clock) for clock in clocks]
        return min(ends, key=lambda each: each[0], default=None)


def load_manifest(path: Path) -> Manifest:
    """Read and check one manifest file; raises pydantic.ValidationError naming the field."""
    return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
