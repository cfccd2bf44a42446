"""The signing secrets of a channel: made by us, shown once, sealed for its owner and for it alone.

The owner's data key seals them: the retailer's, or for a channel of a partner one kept under the
partner's own id. Ids of both are UUIDs of one kind, so that no retailer's key opens a partner's.
Why: docs/decisions/0017-alert-channels-have-one-owner.md
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Row, begin
from infra.errors import PlatformError
from infra.ids import Id
from infra.keys.vault import SealBroken, TenantKey, Vault
from infra.telemetry.tell_fault import tell_fault

SECRET_BYTES = 32
# Two systems never change theirs at the same moment.
OVERLAP = timedelta(hours=24)

_OLD = (
    "select id, coalesce(partner_id, tenant_id) as owner_id, sealed_secret, secret_period"
    " from alert_channel where sealed_secret is not null and secret_period <> $1 order by id limit $2"
)
_RESEALED = (
    "update alert_channel set sealed_secret = $2, secret_period = $3"
    " where id = $1 and sealed_secret = $4"
)
RESEAL_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Signing:
    """The secret in use, and until when the one before it counts too."""

    current: SecretStr
    previous: SecretStr | None = None
    previous_until: datetime | None = None

    def in_use(self, now: datetime) -> tuple[SecretStr, ...]:
        """Give the secrets to sign with, the newest first."""
        if self.previous is None or self.previous_until is None or self.previous_until <= now:
            return (self.current,)
        return (self.current, self.previous)


def new_secret() -> SecretStr:
    """Make a secret as Standard Webhooks writes them."""
    random = base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    return SecretStr(f"whsec_{random}")


def replaced(before: Signing, now: datetime) -> Signing:
    """Put a new secret beside the one in use, which counts for a day more."""
    return Signing(new_secret(), before.current, now + OVERLAP)


def seal(key: TenantKey, channel_id: Id, signing: Signing) -> bytes:
    """Seal the secrets for one channel."""
    previous, until = signing.previous, signing.previous_until
    plain = {
        "current": signing.current.get_secret_value(),
        "previous": previous.get_secret_value() if previous else None,
        "previous_until": until.isoformat() if until else None,
    }
    return key.seal(_context(channel_id), json.dumps(plain).encode())


def unseal(key: TenantKey, channel_id: Id, sealed: bytes) -> Signing:
    """Open the secrets of one channel; raises SealBroken for those of any other."""
    plain = json.loads(key.open(_context(channel_id), sealed))
    until = plain["previous_until"]
    return Signing(
        SecretStr(plain["current"]),
        SecretStr(plain["previous"]) if plain["previous"] else None,
        datetime.fromisoformat(until) if until else None,
    )


async def reseal_channels(database: Database, vault: Vault, period: int) -> int:
    """Seal what earlier months sealed under the key of `period` (yyyymm, the current month).

    Before a month's key is erased, what it sealed must be readable under another. Safe to repeat and
    beside a change of secrets; gives how many were looked at. One that cannot be opened stops no other.
    """
    async with begin(EngineScope(), database) as session:
        rows = await session.fetch(_OLD, period, RESEAL_AT_ONCE)
    for row in rows:
        try:
            await _reseal(database, vault, row)
        except (PlatformError, SealBroken) as fault:
            tell_fault("alert.reseal_failed", fault, channel=row["id"])
    return len(rows)


async def _reseal(database: Database, vault: Vault, row: Row) -> None:
    owner_id, channel_id = row["owner_id"], row["id"]
    current = await vault.current(owner_id)
    old = await vault.of(owner_id, row["secret_period"])
    sealed = seal(current, channel_id, unseal(old, channel_id, row["sealed_secret"]))
    async with begin(EngineScope(), database) as session:
        await session.execute(_RESEALED, channel_id, sealed, current.period, row["sealed_secret"])


def _context(channel_id: Id) -> str:
    return f"alert_channel|{channel_id}"
