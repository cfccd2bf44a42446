"""API keys: make (the text is shown once), list, revoke. Only the SHA-256 of a key is stored.

A key's 256 random bits need no slow hash: there is nothing to guess (OWASP ASVS 5.0, V11.4.2).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from infra import clock
from infra.database.pool import Database
from infra.database.scope import OperatorScope, PartnerScope, TenantScope
from infra.database.unit import Session, begin
from infra.errors import Forbidden, NotFound, Unprocessable
from infra.ids import new_id
from tenants.audit import record
from tenants.directory import ApiKey, Partner, Tenant
from tenants.naming import check_name
from tenants.roles import Role, fits, may_give, role_named

SECRET_BYTES = 32
_SHOWN_CHARACTERS = 4  # of 43; enough for a person to tell keys apart, 232 bits stay unknown
_HINTS: dict[Role, str] = {
    Role.OPERATOR: "tkop",
    Role.PARTNER_ADMIN: "tkpa",
    Role.PARTNER_SUPPORT: "tkps",
    Role.RETAILER_ADMIN: "tkra",
    Role.RETAILER_STAFF: "tkrs",
    Role.CONNECTOR: "tkco",
    Role.AUDITOR: "tkau",
}


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `text` exists nowhere else and is never shown again."""

    id: UUID
    text: str

    def __repr__(self) -> str:
        return f"NewKey({self.id})"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key as lists show it; `prefix` is the beginning of its text, times are UTC."""

    id: UUID
    prefix: str
    label: str
    role: str
    partner_id: UUID | None
    tenant_id: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


def hash_of(text: str) -> bytes:
    """Give the SHA-256 under which a key's text is found."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


async def create_key(  # noqa: PLR0913 - each is one fact of the key
    session: Session,
    *,
    given_by: str,
    label: str,
    role: str,
    tenant_id: UUID | None = None,
    partner_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key for one retailer, one partner, or (neither) the platform.

    Takes:  `given_by`, the role of whoever makes it; `expires_at` aware, None for no end.
    Raises: Forbidden when that role may not give this one; Unprocessable when the role does not
            fit the owner or the key would be dead at birth; NotFound for a foreign owner.
    """
    known = _checked_role(given_by, role, partner_id, tenant_id)
    now = clock.now()
    if expires_at is not None and expires_at <= now:
        raise Unprocessable("The key would have expired already.", code="keys.expired_at_birth")
    await _refuse_foreign_owner(session, partner_id, tenant_id)
    text = f"{_HINTS[known]}_{secrets.token_urlsafe(SECRET_BYTES)}"
    key = ApiKey(
        id=new_id(),
        key_hash=hash_of(text),
        prefix=text[: len(_HINTS[known]) + 1 + _SHOWN_CHARACTERS],
        label=check_name(label, "label"),
        role=known.value,
        partner_id=partner_id,
        tenant_id=tenant_id,
        created_at=now,
        expires_at=expires_at,
    )
    orm = await session.orm()
    orm.add(key)
    await orm.flush()
    detail = {"role": key.role, "label": key.label, "given_by": given_by}
    await record(session, "keys.create_key", f"key:{key.id}", detail)
    return NewKey(key.id, text)


async def revoke_key(session: Session, key_id: UUID) -> bool:
    """End a key for good, everywhere within two seconds; False when it was revoked before.

    Raises NotFound when the key is missing or foreign.
    """
    orm = await session.orm()
    key = await orm.get(ApiKey, key_id, with_for_update=True)
    if key is None:
        raise NotFound
    if key.revoked_at is not None:
        return False
    key.revoked_at = clock.now()
    await orm.flush()
    await record(session, "keys.revoke_key", f"key:{key_id}", {"label": key.label})
    return True


async def list_keys(
    scope: TenantScope | PartnerScope | OperatorScope, database: Database
) -> list[KeyEntry]:
    """List the keys a scope can see, newest first, revoked ones too."""
    async with begin(scope, database) as session:
        orm = await session.orm()
        found = await orm.scalars(select(ApiKey).order_by(ApiKey.id.desc()))
        return [
            KeyEntry(
                each.id,
                each.prefix,
                each.label,
                each.role,
                each.partner_id,
                each.tenant_id,
                each.created_at,
                each.expires_at,
                each.revoked_at,
                each.last_used_at,
            )
            for each in found
        ]


def _checked_role(
    given_by: str, role: str, partner_id: UUID | None, tenant_id: UUID | None
) -> Role:
    known = role_named(role)
    if known is None or not fits(role, partner_id=partner_id, tenant_id=tenant_id):
        raise Unprocessable("This role does not fit the owner of the key.", code="keys.role_unfit")
    if partner_id is not None and tenant_id is not None:
        raise Unprocessable("A key has one owner.", code="keys.two_owners")
    if not may_give(given_by, role):
        raise Forbidden("You may not give this role.", code="keys.role_too_high")
    return known


async def _refuse_foreign_owner(
    session: Session, partner_id: UUID | None, tenant_id: UUID | None
) -> None:
    """Find the owner in the session's own view, so that foreign and missing look the same."""
    orm = await session.orm()
    owner: Partner | Tenant | None
    if tenant_id is not None:
        owner = await orm.get(Tenant, tenant_id)
    elif partner_id is not None:
        owner = await orm.get(Partner, partner_id)
        is_own = not isinstance(session.scope, TenantScope)
        owner = owner if is_own else None
    elif isinstance(session.scope, OperatorScope):
        return
    else:
        owner = None
    if owner is None:
        raise NotFound
