"""Who looks: the person behind the session, the roles, and whose portal it is."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from infra.database.scope import OperatorScope, PartnerScope, TenantScope
from infra.errors import Forbidden
from portal.door.cookies import session_cookie
from portal.door.origin import refuse_foreign_form
from portal.look.brand import Brand, brand_of
from portal.parts import PortalParts
from tenants.roles import Level, Permission, allows, level_of
from tenants.sign_in.hosts import Front, front_of_host, front_of_partner
from tenants.sign_in.sessions import Entered, Held, find_session

DirectoryScope = OperatorScope | PartnerScope | TenantScope
_RANK = (Level.PLATFORM, Level.PARTNER, Level.RETAILER)


class SignInNeeded(Exception):
    """Nobody is signed in; the page asked for is kept for after it."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person in the portal: `held` are the roles that count on this host."""

    person_id: UUID
    session_id: UUID
    email: str
    name: str
    held: tuple[Held, ...]
    csrf: str
    brand: Brand
    parts: PortalParts = field(repr=False)

    @property
    def actor(self) -> str:
        """Name the person as the audit log and colleagues know it."""
        return self.email

    @property
    def main(self) -> Held:
        """Give the role that reaches furthest."""
        return min(
            self.held, key=lambda each: _RANK.index(level_of(each.partner_id, each.tenant_id))
        )

    @property
    def is_wide(self) -> bool:
        """Say whether this person looks after several retailers."""
        return self.main.tenant_id is None

    @property
    def directory(self) -> DirectoryScope:
        """Give the scope in which this person sees the directory."""
        if self.main.tenant_id is not None:
            return TenantScope(self.main.tenant_id, self.actor)
        if self.main.partner_id is not None:
            return PartnerScope(self.main.partner_id, self.actor)
        return OperatorScope(self.actor)

    @property
    def initials(self) -> str:
        """Give two letters of the name."""
        parts = [part for part in self.name.split() if part[:1].isalpha()] or [self.email]
        return "".join(part[0] for part in (parts[0], *parts[1:][-1:])).upper()


async def viewer(request: Request) -> Viewer:
    """Find who looks; raises SignInNeeded, Forbidden for a form that comes from elsewhere."""
    parts: PortalParts = request.app.state.parts
    token = session_cookie(request)
    entered = await find_session(token, parts.database) if token else None
    front = await front_of_host(request.url.hostname or "", parts.database)
    held = _counting(entered, front)
    if entered is None or not held:
        raise SignInNeeded
    csrf = form_token(token)
    await refuse_foreign_form(request, csrf)
    front = front or await _front_of(held, parts)
    brand = brand_of(front.name, front.brand) if front else brand_of("")
    return Viewer(
        entered.person_id, entered.session_id, entered.email, entered.name, held, csrf, brand, parts
    )


def form_token(cookie: str) -> str:
    """Give the token that forms of a session carry; it does not give the cookie away."""
    return hmac.new(cookie.encode(), b"form", hashlib.sha256).hexdigest()


def _counting(entered: Entered | None, front: Front | None) -> tuple[Held, ...]:
    """Give the roles that count here: on a partner's host the partner's own, and the operator's."""
    if entered is None:
        return ()
    if front is None:
        return entered.held
    own = front.partner_id
    return tuple(
        each
        for each in entered.held
        if own in (each.partner_id, each.partner_of_tenant)
        or level_of(each.partner_id, each.tenant_id) is Level.PLATFORM
    )


async def _front_of(held: tuple[Held, ...], parts: PortalParts) -> Front | None:
    owners = [each.partner_id or each.partner_of_tenant for each in held]
    known = [each for each in owners if each is not None]
    if not known or any(each is None for each in owners):
        return None
    return await front_of_partner(known[0], parts.database)


Looker = Annotated[Viewer, Depends(viewer)]


async def _wide(found: Looker) -> Viewer:
    if not found.is_wide or not allows(found.main.role, Permission.EXCEPTIONS_READ):
        raise Forbidden("This page is for people who look after several retailers.")
    return found


WideLooker = Annotated[Viewer, Depends(_wide)]
