"""Credentials of a connection: sealed for one tenant, connection, field and host; never shown.

A replaced credential stays valid for a day beside its successor, because two systems never change
theirs at the same moment.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from app.connections.declared import check_secrets
from app.connections.health import restore_authorization
from app.connections.origin import origin_of
from app.connections.tenant import acting_tenant
from infra.clock import now
from infra.database.unit import Row, Session
from infra.errors import NotFound, Unprocessable
from infra.ids import Id
from infra.keys.vault import TenantKey, Vault
from tenants.audit import record

OVERLAP = timedelta(hours=24)
MAX_SECRET_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """One stored credential: sealed bytes, the key that opens them, and until when it counts."""

    field: str
    sealed: bytes
    key: TenantKey
    valid_until: datetime | None


class Secrets:
    """A handle on the credentials of one connection; values are opened when first revealed."""

    def __init__(self, connection_id: Id, origin: str, sealed: Sequence[SealedSecret] = ()) -> None:
        """Keep the sealed rows, for each field the current one first."""
        self._connection_id = connection_id
        self._origin = origin
        self._sealed = tuple(sealed)
        # A busy connection signs thousands of calls; the handle itself lives two seconds.
        self._opened: dict[SealedSecret, str] = {}
        self._digests: dict[tuple[str, ...], bytes | None] = {}

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self.fields())})"

    def fields(self) -> tuple[str, ...]:
        """List the fields that have a credential."""
        return tuple(dict.fromkeys(secret.field for secret in self._sealed))

    def reveal(self, field: str) -> list[str]:
        """Give the values of a field, the current one first, then the one it replaced while valid.

        Raises infra.keys' own error when a row was moved, changed or sealed for another host.
        """
        moment = now()
        return [
            self._opened.get(secret) or self._open(secret)
            for secret in self._sealed
            if secret.field == field and (secret.valid_until is None or secret.valid_until > moment)
        ]

    def _open(self, secret: SealedSecret) -> str:
        context = seal_context(self._connection_id, secret.field, self._origin)
        self._opened[secret] = secret.key.open(context, secret.sealed).decode()
        return self._opened[secret]

    def reveal_all(self) -> list[str]:
        """Give every value that may be in use; only for striking them out of answers."""
        return [value for field in self.fields() for value in self.reveal(field)]

    def digest(self, fields: tuple[str, ...], connector: str) -> bytes | None:
        """Give a digest of the values in use, with software and host; None where there are none.

        Under the retailer's key of the month in which they were sealed.
        """
        if fields not in self._digests:
            sealed = [each for field in fields for each in self._sealed if each.field == field]
            values = [value for field in fields for value in self.reveal(field)[:1]]
            text = json.dumps([connector, self._origin, *values])
            self._digests[fields] = sealed[0].key.digest(text.encode()) if values else None
        return self._digests[fields]

    def is_same(self, other: Secrets) -> bool:
        """Say whether both hold the same sealed rows; nothing is opened for it."""
        return [each.sealed for each in self._sealed] == [each.sealed for each in other._sealed]

    def is_current(self, field: str, value: SecretStr) -> bool:
        """Say, in constant time, whether this is the credential now in use."""
        current = self.reveal(field)[:1]
        return any(
            hmac.compare_digest(each.encode(), value.get_secret_value().encode())
            for each in current
        )


def seal_context(connection_id: Id, field: str, origin: str) -> str:
    """Say what a sealed credential belongs to; opening it for anything else fails."""
    return f"connection_secret|{connection_id}|{field}|{origin}"


async def put_secret(
    session: Session, key: TenantKey, connection_id: Id, field: str, value: SecretStr
) -> None:
    """Store a credential; the one it replaces stays valid for 24 hours.

    A connection that waited for its authorization goes on.

    Raises NotFound, or Unprocessable for an undeclared field or an unusable value.
    """
    origin = await _origin_for(session, connection_id, field)
    plain = value.get_secret_value().encode()
    if not plain or len(plain) > MAX_SECRET_BYTES:
        raise Unprocessable(
            f"The credential {field} must have between 1 and {MAX_SECRET_BYTES} bytes.",
            code="connection.secret_invalid",
        )
    await _step_down(session, connection_id, field)
    await session.execute(
        "insert into connection_secret (tenant_id, connection_id, field, sealed, period, updated_at)"
        " values ($1, $2, $3, $4, $5, $6)",
        acting_tenant(session),
        connection_id,
        field,
        key.seal(seal_context(connection_id, field, origin), plain),
        key.period,
        now(),
    )
    await restore_authorization(session, acting_tenant(session), connection_id)
    subject = f"connection:{connection_id}"
    await record(session, "connections.store_credential", subject, {"field": field})


async def sealed_rows(session: Session, connection_id: Id) -> list[Row]:
    """Read the sealed credentials of a connection, for each field the current one first."""
    return await session.fetch(
        "select field, sealed, period, valid_until from connection_secret"
        " where tenant_id = $1 and connection_id = $2 order by field, slot",
        acting_tenant(session),
        connection_id,
    )


async def with_keys(
    rows: Sequence[Row], vault: Vault, tenant_id: Id, connection_id: Id, origin: str
) -> Secrets:
    """Join sealed rows with the keys that open them; called after the transaction that read them.

    The vault may have to read a key of an earlier period: a second connection of the pool, which a
    use case must not take while it holds one.
    """
    sealed = [
        SealedSecret(
            row["field"],
            row["sealed"],
            await vault.of(tenant_id, row["period"]),
            row["valid_until"],
        )
        for row in rows
    ]
    return Secrets(connection_id, origin, sealed)


async def _origin_for(session: Session, connection_id: Id, field: str) -> str:
    """Lock the connection, so that its host cannot change under a credential being stored."""
    row = await session.fetch_one(
        "select connector, settings from connection"
        " where tenant_id = $1 and id = $2 for no key update",
        acting_tenant(session),
        connection_id,
    )
    if row is None:
        raise NotFound
    check_secrets(row["connector"], [field])
    return origin_of(json.loads(row["settings"]))


async def _step_down(session: Session, connection_id: Id, field: str) -> None:
    """Make the current credential the previous one, valid for 24 hours; the one before it goes."""
    tenant_id = acting_tenant(session)
    await session.execute(
        "delete from connection_secret where tenant_id = $1 and connection_id = $2"
        " and field = $3 and slot = 'previous' and exists (select 1 from connection_secret c"
        " where c.tenant_id = $1 and c.connection_id = $2 and c.field = $3 and c.slot = 'current')",
        tenant_id,
        connection_id,
        field,
    )
    await session.execute(
        "update connection_secret set slot = 'previous', valid_until = $4"
        " where tenant_id = $1 and connection_id = $2 and field = $3 and slot = 'current'",
        tenant_id,
        connection_id,
        field,
        now() + OVERLAP,
    )
