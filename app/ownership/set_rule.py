"""Decide who owns a group at a place from a moment on; nothing that was decided before is changed."""

from __future__ import annotations

from collections.abc import Sequence

from app.connections.tenant import acting_tenant
from app.ownership.groups import GROUPS
from app.ownership.matrix import Matrix, Wanted
from infra.database.scope import TenantScope
from infra.database.unit import Session
from infra.errors import NotFound, Unprocessable
from infra.ids import Id, new_id
from tenants.audit import record

PLACE_MAX = 200

_SET = """
insert into ownership_rule (tenant_id, id, attribute_group, place, owner_id, may_write, on_foreign,
    effective_from, reason, set_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_KNOWN = "select count(*) from connection where tenant_id = $1 and id = any($2)"


async def set_rule(session: Session, wanted: Wanted) -> Id:
    """Write a rule down; it counts for what happens from its moment on, within two seconds.

    Raises: NotFound for a connection that is not there, Unprocessable for an unknown group.
    """
    await require_rule(session, wanted)
    rule_id, tenant_id = new_id(), acting_tenant(session)
    scope = session.scope
    actor = scope.actor if isinstance(scope, TenantScope) else ""
    await session.execute(
        *(_SET, tenant_id, rule_id, wanted.group, wanted.place, wanted.owner_id),
        *(sorted(wanted.may_write), wanted.on_foreign, wanted.effective_from, wanted.reason, actor),
    )
    detail = {
        "group": wanted.group,
        "place": wanted.place,
        "owner": str(wanted.owner_id) if wanted.owner_id else "",
        "may_write": sorted(str(each) for each in wanted.may_write),
        "on_foreign": wanted.on_foreign,
        "effective_from": wanted.effective_from.isoformat(),
        "reason": wanted.reason,
    }
    await record(session, "ownership.set_rule", f"ownership_rule:{rule_id}", detail)
    return rule_id


async def require_rule(session: Session, wanted: Wanted) -> None:
    """Refuse what cannot be a rule; see `set_rule`."""
    if wanted.group not in GROUPS:
        words = f"Write one of {', '.join(GROUPS)}."
        raise Unprocessable(words, code="ownership.group_unknown")
    if len(wanted.place) > PLACE_MAX or not wanted.place.isprintable():
        raise Unprocessable("A place has at most 200 characters.", code="ownership.place_invalid")
    named = {*wanted.may_write, *([wanted.owner_id] if wanted.owner_id else [])}
    if await session.fetch_value(_KNOWN, acting_tenant(session), list(named)) != len(named):
        raise NotFound


def with_wanted(matrix: Matrix, wanted: Sequence[Wanted]) -> Matrix:
    """Give the matrix as it would be; newer than all that is set."""
    latest = max((each.set_at for each in matrix.rules), default=None)
    return Matrix((*matrix.rules, *(each.as_rule(latest) for each in wanted)), matrix.sources)
