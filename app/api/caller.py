"""Who calls, what the key may do, and which retailer the request is about.

The order is fixed: 401 without a valid key, 403 without the permission, 404 for a retailer out of
reach. So a refusal never depends on whether some object exists.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from app.api.parts import ApiParts
from app.intake.events import authenticated, chosen_tenant
from app.intake.hooks import lower_headers
from infra.database.scope import OperatorScope, PartnerScope, TenantScope
from infra.errors import Forbidden
from tenants.principal import Principal, directory_scope
from tenants.roles import Permission, allows

TenantHeader = Annotated[
    str | None,
    Header(
        alias="Tenant-Id",
        description="Which retailer the request is about. Needed with a key that reaches several"
        " retailers; with a retailer's own key it may be left out.",
        max_length=200,
    ),
]


@dataclass(frozen=True, slots=True)
class Caller:
    """A request that passed the door: in whose scope it acts, under which key, with which parts."""

    scope: TenantScope
    principal: Principal
    parts: ApiParts

    def may(self, permission: Permission) -> bool:
        """Say whether the key includes a further permission."""
        return allows(self.principal.role, permission)


def caller_with(*needed: Permission) -> Callable[..., Awaitable[Caller]]:
    """Make the dependency of routes that need all of these permissions."""

    async def caller(request: Request, _tenant_id: TenantHeader = None) -> Caller:
        parts: ApiParts = request.app.state.parts
        headers = lower_headers(request.scope)
        principal = await authenticated(headers, parts.principals)
        for permission in needed:
            if not allows(principal.role, permission):
                raise Forbidden(f"This key lacks the permission {permission}.")
        scope = await chosen_tenant(principal, headers, parts.database)
        return Caller(scope, principal, parts)

    return caller


@dataclass(frozen=True, slots=True)
class WideCaller:
    """A request about all retailers that its key reaches, or about the one that it names."""

    scope: TenantScope | PartnerScope | OperatorScope
    principal: Principal
    parts: ApiParts


def wide_caller_with(*needed: Permission) -> Callable[..., Awaitable[WideCaller]]:
    """Make the dependency of routes about several retailers; a retailer's key sees itself."""

    async def caller(request: Request, tenant_id: TenantHeader = None) -> WideCaller:
        parts: ApiParts = request.app.state.parts
        headers = lower_headers(request.scope)
        principal = await authenticated(headers, parts.principals)
        for permission in needed:
            if not allows(principal.role, permission):
                raise Forbidden(f"This key lacks the permission {permission}.")
        if tenant_id is None:
            return WideCaller(directory_scope(principal), principal, parts)
        scope = await chosen_tenant(principal, headers, parts.database)
        return WideCaller(scope, principal, parts)

    return caller


MessageReader = Annotated[Caller, Depends(caller_with(Permission.MESSAGES_READ))]
BodyReader = Annotated[
    Caller, Depends(caller_with(Permission.MESSAGES_READ, Permission.PAYLOADS_READ))
]
DeliveryReader = Annotated[Caller, Depends(caller_with(Permission.DELIVERIES_READ))]
ExceptionReader = Annotated[Caller, Depends(caller_with(Permission.EXCEPTIONS_READ))]
ExceptionDecider = Annotated[Caller, Depends(caller_with(Permission.EXCEPTIONS_DECIDE))]
# Whoever may not read a payload cannot judge a change of it, and a difference would show it.
PayloadEditor = Annotated[
    Caller, Depends(caller_with(Permission.EXCEPTIONS_DECIDE, Permission.PAYLOADS_READ))
]
DirectoryReader = Annotated[WideCaller, Depends(wide_caller_with(Permission.EXCEPTIONS_READ))]
ConnectionReader = Annotated[Caller, Depends(caller_with(Permission.CONNECTIONS_READ))]
ConnectionManager = Annotated[Caller, Depends(caller_with(Permission.CONNECTIONS_MANAGE))]
FlowReader = Annotated[Caller, Depends(caller_with(Permission.FLOWS_READ))]
FlowManager = Annotated[Caller, Depends(caller_with(Permission.FLOWS_MANAGE))]
ReplayRunner = Annotated[Caller, Depends(caller_with(Permission.REPLAYS_RUN))]
ReplayApprover = Annotated[Caller, Depends(caller_with(Permission.REPLAYS_APPROVE))]
StockReader = Annotated[Caller, Depends(caller_with(Permission.STOCK_READ))]
StockManager = Annotated[Caller, Depends(caller_with(Permission.STOCK_MANAGE))]
Reserver = Annotated[Caller, Depends(caller_with(Permission.MESSAGES_SEND))]
PriceReader = Annotated[Caller, Depends(caller_with(Permission.PRICES_READ))]
PriceManager = Annotated[Caller, Depends(caller_with(Permission.PRICES_MANAGE))]
LedgerReader = Annotated[Caller, Depends(caller_with(Permission.LEDGER_READ))]
FinanceReader = Annotated[Caller, Depends(caller_with(Permission.FINANCE_READ))]
FinanceManager = Annotated[Caller, Depends(caller_with(Permission.FINANCE_MANAGE))]
Sender = Annotated[Caller, Depends(caller_with(Permission.MESSAGES_SEND))]
