"""What the pages of the door show."""

from __future__ import annotations

import io
from uuid import UUID

import segno
from fastapi import Request

from portal.door.viewer import Viewer
from portal.look.brand import PLATFORM_NAME, Brand, brand_of
from portal.parts import PortalParts
from tenants.sign_in.factor import address_for, new_secret
from tenants.sign_in.hosts import front_of_host, front_of_partner


def first_page(viewer: Viewer) -> str:
    """Give the page where a person begins: all retailers, or the own one."""
    return "/now" if viewer.is_wide else f"/r/{viewer.main.tenant_id}/today"


async def front_brand(request: Request, partner_id: UUID | None = None) -> Brand | None:
    """Give the brand of the host; on a shared host that of whom the link is for, or the platform's."""
    parts: PortalParts = request.app.state.parts
    front = await front_of_host(request.url.hostname or "", parts.database)
    if front is None and partner_id is not None:
        front = await front_of_partner(partner_id, parts.database)
    return brand_of(front.name, front.brand) if front else None


def new_factor() -> str:
    """Make the secret of a second factor that is about to be set up."""
    return new_secret()


def shown_factor(secret: str, email: str, portal: str) -> dict[str, object]:
    """Give the secret as text in groups and as the path of a square code."""
    code = segno.make(address_for(secret, email, portal or PLATFORM_NAME), micro=False)
    drawn = io.BytesIO()
    code.save(drawn, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=0)
    path = drawn.getvalue().decode().split('d="', 1)[1].split('"', 1)[0]
    size = code.symbol_size(border=0)[0]
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return {"secret": secret, "groups": groups, "code_path": path, "code_size": size}
