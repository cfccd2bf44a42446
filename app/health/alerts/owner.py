"""Whose alerts they are: of one retailer, or of a partner for all its retailers."""

from __future__ import annotations

from typing import TypeAlias

from infra.database.scope import PartnerScope, TenantScope
from infra.ids import Id

OwnerScope: TypeAlias = TenantScope | PartnerScope

# Rows of the owner $1, in `alert_channel`.
OWN = "(partner_id = $1 or tenant_id = $1)"


def owner_id(scope: OwnerScope) -> Id:
    """Give the id of the retailer or partner."""
    return scope.tenant_id if isinstance(scope, TenantScope) else scope.partner_id


def owner_columns(scope: OwnerScope) -> tuple[Id | None, Id | None]:
    """Give the owner as the columns `partner_id` and `tenant_id`; one of them is empty."""
    if isinstance(scope, TenantScope):
        return None, scope.tenant_id
    return scope.partner_id, None
