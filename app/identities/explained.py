"""Close what was told of names that nobody knew, once they mean something."""

from __future__ import annotations

from collections.abc import Sequence

from app.connections.tenant import acting_tenant
from app.identities.bindings import Name
from infra.database.unit import Session

BREAK_KIND = "article.unknown"

# In the act itself: whoever binds a name, from wherever, has answered the question.
_CLOSE = """
update break set state = 'closed', closed_at = now(), resolution = 'The name was bound.'
where tenant_id = $1 and kind = $2 and key = any($3) and state = 'open'
"""


async def close_explained(session: Session, names: Sequence[Name]) -> None:
    """Close the breaks about names of articles that mean something now."""
    keys = [break_key(name) for name in names if name.kind == "variant"]
    if keys:
        await session.execute(_CLOSE, acting_tenant(session), BREAK_KIND, keys)


def break_key(name: Name) -> str:
    """Name the break about one unknown name of one system."""
    return f"{name.connection_id}/{name.external_id}"
