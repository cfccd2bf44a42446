"""The matrix as people read it: of each group who owns it, since when, and who usually would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.connections.tenant import acting_tenant
from app.ownership.groups import GROUPS, Group, GroupRule, OnForeign
from connectors import registry
from infra.database.unit import Session
from infra.ids import Id

_RULES = """
select id, attribute_group, place, owner_id, may_write, on_foreign, effective_from, reason, set_by,
    set_at, effective_from <= now() and not exists (
        select from ownership_rule newer where newer.tenant_id = $1
            and newer.attribute_group = mine.attribute_group and newer.place = mine.place
            and newer.effective_from <= now()
            and (newer.effective_from, newer.set_at, newer.id)
                > (mine.effective_from, mine.set_at, mine.id)) as counts
from ownership_rule mine where tenant_id = $1
order by attribute_group, place, effective_from, set_at, id
"""
_CONNECTIONS = "select id, connector from connection where tenant_id = $1 order by id"


@dataclass(frozen=True, slots=True)
class SetRule:
    """One rule that a person set; `counts` says that it is the one of its place today."""

    id: Id
    group: Group
    place: str
    owner_id: Id | None
    may_write: tuple[Id, ...]
    on_foreign: OnForeign
    effective_from: datetime
    reason: str
    set_by: str
    set_at: datetime
    counts: bool


@dataclass(frozen=True, slots=True)
class Usual:
    """Who usually owns a group: the one system of that kind, None where there is none or several."""

    rule: GroupRule
    owner_id: Id | None
    also: tuple[Id, ...]


async def set_rules(session: Session) -> list[SetRule]:
    """List what was decided, also what is over or has not begun, by group, place and moment."""
    rows = await session.fetch(_RULES, acting_tenant(session))
    return [
        SetRule(
            *(row["id"], row["attribute_group"], row["place"], row["owner_id"]),
            *(tuple(row["may_write"]), row["on_foreign"], row["effective_from"]),
            *(row["reason"], row["set_by"], row["set_at"], row["counts"]),
        )
        for row in rows
    ]


async def usual_owners(session: Session) -> dict[Group, Usual]:
    """Say of each group who would own it by the default matrix."""
    rows = await session.fetch(_CONNECTIONS, acting_tenant(session))
    known = registry.names()
    roles: dict[Id, set[str]] = {
        row["id"]: {*registry.manifest(row["connector"]).roles}
        for row in rows
        if row["connector"] in known
    }
    return {name: _usual(rule, roles) for name, rule in GROUPS.items()}


def _usual(rule: GroupRule, roles: dict[Id, set[str]]) -> Usual:
    """Take the first role that somebody has; two systems of one kind are for a person to tell apart."""
    for role in rule.owners:
        owners = [each for each, has in roles.items() if role in has]
        if owners:
            owner = owners[0] if len(owners) == 1 else None
            also = [each for each, has in roles.items() if has & {*rule.also} and each != owner]
            return Usual(rule, owner, tuple(also))
    return Usual(rule, None, ())
