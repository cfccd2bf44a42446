"""Take over the default matrix where it is clear: one system of the usual kind, nothing decided yet."""

from __future__ import annotations

from app.ownership.listing import set_rules, usual_owners
from app.ownership.matrix import Wanted
from app.ownership.set_rule import set_rule
from infra import clock
from infra.database.unit import Session


async def wanted_by_default(session: Session) -> list[Wanted]:
    """Give the rules that the default matrix would add; nothing of a group that was decided."""
    decided = {each.group for each in await set_rules(session)}
    usual = await usual_owners(session)
    now = clock.now()
    return [
        Wanted(
            group,
            each.owner_id,
            "The default matrix.",
            now,
            may_write=frozenset(each.also),
            on_foreign=each.rule.on_foreign,
        )
        for group, each in usual.items()
        if each.owner_id is not None and group not in decided
    ]


async def adopt_defaults(session: Session) -> list[Wanted]:
    """Write them down; gives what was decided. A second time there is nothing left to do."""
    wanted = await wanted_by_default(session)
    for each in wanted:
        await set_rule(session, each)
    return wanted
