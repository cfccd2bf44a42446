"""Whose alerts a request is about: a retailer's, or with a partner's key and no name, its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from app.api.parts import ApiParts
from app.health.alerts.channel import ChannelParts
from app.health.alerts.owner import OwnerScope
from app.intake.events import authenticated, chosen_tenant
from app.intake.hooks import lower_headers
from infra.database.scope import PartnerScope
from infra.errors import Forbidden
from tenants.roles import Permission, allows

OwnerHeader = Annotated[
    str | None,
    Header(
        alias="Tenant-Id",
        description="Which retailer the request is about. Left out with a partner's key it is about"
        " the partner's own channels, which hear of all its retailers.",
        max_length=200,
    ),
]


@dataclass(frozen=True, slots=True)
class AlertCaller:
    """A request that passed the door, for one owner of channels."""

    scope: OwnerScope
    parts: ApiParts

    @property
    def channel_parts(self) -> ChannelParts:
        """Give what changing channels works with."""
        return ChannelParts(self.parts.database, self.parts.vault, self.parts.policy)


def owner_with(needed: Permission) -> Callable[..., Awaitable[AlertCaller]]:
    """Make the dependency of routes that need a permission; 401, then 403, then 404."""

    async def caller(request: Request, _tenant_id: OwnerHeader = None) -> AlertCaller:
        parts: ApiParts = request.app.state.parts
        headers = lower_headers(request.scope)
        principal = await authenticated(headers, parts.principals)
        if not allows(principal.role, needed):
            raise Forbidden(f"This key lacks the permission {needed}.")
        if principal.partner_id is not None and "tenant-id" not in headers:
            return AlertCaller(PartnerScope(principal.partner_id, principal.actor), parts)
        return AlertCaller(await chosen_tenant(principal, headers, parts.database), parts)

    return caller


AlertReader = Annotated[AlertCaller, Depends(owner_with(Permission.EXCEPTIONS_READ))]
AlertManager = Annotated[AlertCaller, Depends(owner_with(Permission.ALERTS_MANAGE))]
