"""Forms count only when they come from this portal's own pages.

Two locks: what the browser says about where a request comes from, and a token of the session.
"""

from __future__ import annotations

import hmac

from fastapi import Request

from infra.errors import Forbidden

FIELD = "_form"
_FROM_HERE = {"same-origin", "none"}


class ForeignForm(Forbidden):
    """The form was not sent from a page of this portal, or the page is older than the session."""

    code = "portal.foreign_form"

    def __init__(self) -> None:
        super().__init__(
            "This form is no longer good. Open the page again and repeat what you did."
        )


def refuse_foreign_origin(request: Request) -> None:
    """Raise ForeignForm when the browser says that a form comes from another site, or says nothing."""
    if request.method in ("GET", "HEAD"):
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if (site is not None and site not in _FROM_HERE) or (site is None and origin != own):
        raise ForeignForm
    if origin not in (None, own):
        raise ForeignForm


async def refuse_foreign_form(request: Request, token: str) -> None:
    """Raise ForeignForm also when the form does not carry the session's token."""
    if request.method in ("GET", "HEAD"):
        return
    refuse_foreign_origin(request)
    given = (await request.form()).get(FIELD, "")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), token.encode()):
        raise ForeignForm
