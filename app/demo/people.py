"""Who opens the portal of the demo, and the links by which they enter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.processes.floor import Floor
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from tenants.people import Place, ensure_person, give_role
from tenants.roles import Role
from tenants.sign_in.links import make_link

ACTOR = "operator.demo"
GOOD_FOR = timedelta(hours=24)
OPERATOR, PARTNER, SHOP = (
    "ada@harborline.example",
    "grace@harborline.example",
    "jo@maple-main.example",
)


@dataclass(frozen=True, slots=True)
class Link:
    """One person of the demo: what they are, and the path by which they enter, once."""

    email: str
    what: str
    path: str


async def make_links(floor: Floor, tenant_id: UUID) -> list[Link]:
    """Give the three people their roles and new links; safe to repeat, earlier links stay good."""
    links = []
    async with begin(OperatorScope(ACTOR), floor.database) as session:
        partner_id = await session.fetch_value(
            "select partner_id from tenant where id = $1", tenant_id
        )
        for email, name, role, what, place in (
            (OPERATOR, "Ada Marsh", Role.OPERATOR, "operator", Place()),
            (PARTNER, "Grace Okafor", Role.PARTNER_ADMIN, "partner", Place(partner_id)),
            (SHOP, "Jo Hart", Role.RETAILER_ADMIN, "shop", Place(tenant_id=tenant_id)),
        ):
            person = await ensure_person(session, email, name)
            await give_role(session, person.id, role, place, given_by=Role.OPERATOR)
            made = await make_link(session, person.id, "sign_in", GOOD_FOR)
            links.append(Link(email, what, made.path))
    return links
