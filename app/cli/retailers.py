"""Which retailers a command is about: one that is named, or all of them."""

from __future__ import annotations

from app.cli.owner import SCOPE, find_retailer
from infra.database.pool import Database
from infra.database.scope import TenantScope
from tenants.partners import list_partners
from tenants.retailers import list_retailers

Named = tuple[str, TenantScope]


async def chosen_retailers(name: str, database: Database) -> list[Named]:
    """Give `partner/retailer` and scope of the named retailer, or of all for an empty name.

    Raises PlatformError when there is none of that name.
    """
    if name:
        return [(name, TenantScope(await find_retailer(name, database), SCOPE.actor))]
    slugs = {each.id: each.slug for each in await list_partners(SCOPE, database)}
    named = [
        (f"{slugs[each.partner_id]}/{each.slug}", TenantScope(each.id, SCOPE.actor))
        for each in await list_retailers(SCOPE, database)
    ]
    return sorted(named, key=lambda one: one[0])
