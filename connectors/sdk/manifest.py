"""The manifest of a connector: what it is, how it is authenticated, what it can and may do."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

KeyStyle = Literal["native", "external_ref", "lookup", "none"]
AuthScheme = Literal["none", "bearer", "header", "basic", "standard_webhooks"]
WebhookScheme = Literal["none", "standard_webhooks", "hmac_sha256_base64", "hmac_sha256_hex"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Action(_Strict):
    """Something the system can be told: which events it takes and how repeats are made harmless.

    `keys`: native (idempotency key), external_ref (our reference is unique there), lookup (ask before
    sending again), none (only for values where the latest wins).
    """

    name: str
    events: list[str]
    keys: KeyStyle
    title: str


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
    """The vendor's published limits for one credential, with their source."""

    rate_per_s: float = 50.0
    burst: float = 100.0
    parallel: int = 8
    source: str = ""


class VendorVersion(_Strict):
    """A version of the vendor's API and the day it ends (ISO date), if it does."""

    name: str
    sunset: str | None = None


class Manifest(_Strict):
    """One connector as its folder declares it (`manifest.toml`)."""

    name: str
    title: str
    version: str
    summary: str
    roles: list[Literal["till", "shop", "marketplace", "erp", "wms", "finance", "crm", "any"]]
    receives: list[Literal["webhook", "poll", "file", "api"]] = Field(default_factory=list)
    reads: list[str] = Field(default_factory=list)
    settings: dict[str, str] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    auth: Auth = Auth()
    webhook: Webhook = Webhook()
    quota: Quota = Quota()
    streams: list[Stream] = Field(default_factory=list)
    actions: list[Action] = Field(default_factory=list)
    capabilities: dict[str, bool | str] = Field(default_factory=dict)
    vendor_versions: list[VendorVersion] = Field(default_factory=list)

    def action(self, name: str) -> Action | None:
        """Find a declared action by name."""
        return next((action for action in self.actions if action.name == name), None)


def load_manifest(path: Path) -> Manifest:
    """Read and check one manifest file; raises pydantic.ValidationError naming the field."""
    return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
