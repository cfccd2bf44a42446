"""One retailer's pages: who may open them, and with what they work."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from infra.database.scope import OperatorScope, PartnerScope, TenantScope
from infra.database.unit import begin
from infra.errors import Forbidden, NotFound
from infra.ids import parse_id
from portal.door.viewer import DirectoryScope, Looker, Viewer
from portal.look.brand import Brand, brand_of
from portal.parts import PortalParts
from tenants.roles import Permission, allows
from tenants.sign_in.sessions import Held

_RETAILER = (
    "select t.id, t.name, t.slug, t.timezone, t.currency, t.state, t.brand::text as own,"
    " p.name as partner, p.brand::text as partner_brand"
    " from tenant t join partner p on p.id = t.partner_id where t.id = $1"
)


@dataclass(frozen=True, slots=True)
class Retailer:
    """The retailer a page is about."""

    id: UUID
    name: str
    zone: ZoneInfo
    currency: str
    state: str


@dataclass(frozen=True, slots=True)
class Desk:
    """A page of one retailer: in whose scope it reads, and what the person may do there."""

    viewer: Viewer
    scope: TenantScope
    retailer: Retailer
    roles: tuple[str, ...]
    brand: Brand

    @property
    def parts(self) -> PortalParts:
        """Give what the portal works with."""
        return self.viewer.parts

    @property
    def path(self) -> str:
        """Give the beginning of all addresses about this retailer."""
        return f"/r/{self.retailer.id}"

    def may(self, permission: Permission) -> bool:
        """Say whether one of the person's roles here includes a permission."""
        return any(allows(role, permission) for role in self.roles)


def desk_with(*needed: Permission) -> Callable[..., Awaitable[Desk]]:
    """Make the dependency of pages that need all of these permissions.

    Missing and foreign retailers are answered alike, before permissions are asked for.
    """

    async def desk(request: Request, viewer: Looker) -> Desk:
        found = await _reached(viewer, request.path_params["tenant_id"])
        if not all(found.may(permission) for permission in needed):
            raise Forbidden("Your role does not include this.")
        return found

    return desk


async def _reached(viewer: Viewer, told_id: str) -> Desk:
    tenant_id = parse_id(told_id)
    roles: list[str] = []
    row = None
    for held in viewer.held if tenant_id is not None else ():
        scope = _scope_of(held, viewer.actor)
        if isinstance(scope, TenantScope) and scope.tenant_id != tenant_id:
            continue
        async with begin(scope, viewer.parts.database) as session:
            seen = await session.fetch_one(_RETAILER, tenant_id)
        if seen is not None:
            row = seen
            roles.append(held.role)
    if row is None:
        raise NotFound
    own, partner_brand = json.loads(row["own"]), json.loads(row["partner_brand"])
    retailer = Retailer(
        row["id"], row["name"], ZoneInfo(row["timezone"]), row["currency"], row["state"]
    )
    brand = viewer.brand if viewer.is_wide else brand_of(row["partner"], partner_brand, own)
    return Desk(viewer, TenantScope(row["id"], viewer.actor), retailer, tuple(roles), brand)


def _scope_of(held: Held, actor: str) -> DirectoryScope:
    if held.tenant_id is not None:
        return TenantScope(held.tenant_id, actor)
    if held.partner_id is not None:
        return PartnerScope(held.partner_id, actor)
    return OperatorScope(actor)


Reader = Annotated[Desk, Depends(desk_with(Permission.EXCEPTIONS_READ))]
Decider = Annotated[
    Desk, Depends(desk_with(Permission.EXCEPTIONS_READ, Permission.EXCEPTIONS_DECIDE))
]
Tracer = Annotated[Desk, Depends(desk_with(Permission.MESSAGES_READ))]
Editor = Annotated[Desk, Depends(desk_with(Permission.EXCEPTIONS_DECIDE, Permission.PAYLOADS_READ))]
Replayer = Annotated[Desk, Depends(desk_with(Permission.EXCEPTIONS_READ, Permission.REPLAYS_RUN))]
Approver = Annotated[
    Desk, Depends(desk_with(Permission.EXCEPTIONS_READ, Permission.REPLAYS_APPROVE))
]
ConnectionReader = Annotated[Desk, Depends(desk_with(Permission.CONNECTIONS_READ))]
ConnectionManager = Annotated[Desk, Depends(desk_with(Permission.CONNECTIONS_MANAGE))]
