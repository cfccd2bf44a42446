"""Find whom a command is about: `partner`, or `partner/retailer`."""

from __future__ import annotations

from dataclasses import dataclass

from infra.database.pool import Database
from infra.database.scope import OperatorScope
from infra.errors import PlatformError
from infra.ids import Id
from tenants.partners import list_partners
from tenants.retailers import list_retailers

SCOPE = OperatorScope("operator.command_line")


@dataclass(frozen=True, slots=True)
class Owner:
    """A partner, a retailer, or (neither) the platform itself."""

    partner_id: Id | None = None
    tenant_id: Id | None = None


async def find_owner(name: str, database: Database) -> Owner:
    """Read `partner` or `partner/retailer`, empty for the platform; raises PlatformError."""
    if not name:
        return Owner()
    if "/" in name:
        return Owner(tenant_id=await find_retailer(name, database))
    for each in await list_partners(SCOPE, database):
        if each.slug == name:
            return Owner(partner_id=each.id)
    raise _missing(name)


async def find_retailer(name: str, database: Database) -> Id:
    """Read `partner/retailer`; raises PlatformError when there is none."""
    partner_slug, _, retailer_slug = name.partition("/")
    slugs = {each.id: each.slug for each in await list_partners(SCOPE, database)}
    for each in await list_retailers(SCOPE, database):
        if (slugs.get(each.partner_id), each.slug) == (partner_slug, retailer_slug):
            return each.id
    raise _missing(name)


def _missing(name: str) -> PlatformError:
    return PlatformError(
        f"There is no {name!r}. Write a partner, or partner/retailer.", code="cli.owner_unknown"
    )
