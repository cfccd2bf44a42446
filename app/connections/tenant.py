"""Whose rows a transaction may touch, for use cases that belong to exactly one retailer."""

from __future__ import annotations

from infra.database.scope import TenantScope
from infra.database.unit import Session
from infra.ids import Id


def acting_tenant(session: Session) -> Id:
    """Give the retailer of a transaction; raises TypeError when it was opened in another scope."""
    if not isinstance(session.scope, TenantScope):
        raise TypeError(f"this needs a TenantScope, not {type(session.scope).__name__}")
    return session.scope.tenant_id
