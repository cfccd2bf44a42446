"""A channel as its owner sees it, and how it is found: missing and foreign ones look alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.health.alerts.owner import OWN, OwnerScope, owner_id
from infra.database.pool import Database
from infra.database.unit import Row, Session
from infra.egress.policy import EgressPolicy
from infra.errors import NotFound
from infra.ids import Id
from infra.keys.vault import Vault

COLUMNS = (
    "id, tenant_id is null as is_of_partner, kind, name, address, least_severity, most_per_hour,"
    " digest_every_s, is_enabled, disabled_reason, created_at"
)


@dataclass(frozen=True, slots=True)
class ChannelParts:
    """What these acts work with; the policy says which addresses may be called."""

    database: Database
    vault: Vault
    policy: EgressPolicy


@dataclass(frozen=True, slots=True)
class Limits:
    """From which severity on a channel is told, how often at most, and when the rest comes together."""

    least_severity: int = 1
    most_per_hour: int = 10
    digest_every_s: int = 3600


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """A channel as lists show it; its secret is never shown again."""

    id: Id
    is_of_partner: bool
    kind: str
    name: str
    address: str
    limits: Limits
    is_enabled: bool
    disabled_reason: str
    created_at: datetime


async def find_channel(
    session: Session, scope: OwnerScope, channel_id: Id, *, for_update: bool = False
) -> ChannelEntry:
    """Read one channel of an owner; raises NotFound for a missing and a foreign one alike."""
    lock = " for update" if for_update else ""
    row = await session.fetch_one(
        f"select {COLUMNS} from alert_channel where {OWN} and id = $2{lock}",  # noqa: S608
        owner_id(scope),
        channel_id,
    )
    if row is None:
        raise NotFound
    return entry_of(row)


def entry_of(row: Row) -> ChannelEntry:
    """Read a row of `COLUMNS`."""
    values = dict(row)
    limits = Limits(**{name: values.pop(name) for name in Limits.__slots__})
    return ChannelEntry(limits=limits, **values)


def subject_of(channel_id: Id) -> str:
    """Name a channel as the audit log does."""
    return f"alert_channel:{channel_id}"
