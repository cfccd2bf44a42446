"""The directory's tables as objects: who there is. Objects never leave this package."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, ForeignKey, TypeDecorator
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.orm import Table

_MOMENT = TIMESTAMP(timezone=True)


class JsonObject(TypeDecorator[dict[str, Any]]):
    """A JSON object, read alike whether the driver hands out text or has parsed it already.

    Which of the two it is depends on codecs set on the connection, which the ORM only borrows.
    """

    impl = JSONB
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> dict[str, Any] | None:
        """Give the object."""
        found: dict[str, Any] | None = json.loads(value) if isinstance(value, str) else value
        return found


class Partner(Table):
    """A reseller with its own brand, prices and retailers."""

    __tablename__ = "partner"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]
    brand: Mapped[dict[str, Any]] = mapped_column(JsonObject)
    created_at: Mapped[datetime] = mapped_column(_MOMENT)


class Tenant(Table):
    """One retailer: the border that no row crosses."""

    __tablename__ = "tenant"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    slug: Mapped[str]
    name: Mapped[str]
    timezone: Mapped[str]
    currency: Mapped[str]
    state: Mapped[str]
    entitlements: Mapped[dict[str, Any]] = mapped_column(JsonObject)
    created_at: Mapped[datetime] = mapped_column(_MOMENT)


class Person(Table):
    """Someone who opens the portal."""

    __tablename__ = "person"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(_MOMENT)


class Membership(Table):
    """A role that a person holds at the platform, a partner or a retailer (there: region, store)."""

    __tablename__ = "membership"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
    partner_id: Mapped[UUID | None] = mapped_column(ForeignKey("partner.id"))
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenant.id"))
    region: Mapped[str | None]
    store: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(_MOMENT)


class ApiKey(Table):
    """A machine's key: only the SHA-256 of its text is known to us."""

    __tablename__ = "api_key"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(BYTEA)
    prefix: Mapped[str]
    label: Mapped[str]
    role: Mapped[str]
    partner_id: Mapped[UUID | None] = mapped_column(ForeignKey("partner.id"))
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenant.id"))
    created_at: Mapped[datetime] = mapped_column(_MOMENT)
    expires_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    revoked_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    last_used_at: Mapped[datetime | None] = mapped_column(_MOMENT)
