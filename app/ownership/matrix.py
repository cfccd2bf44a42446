"""Who may say what: the rules of one retailer, and what they make of one write; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.ownership.groups import Group, OnForeign
from infra.ids import Id

EVERYWHERE = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who owns a group at a place (empty: everywhere else) from a moment on; None: nobody is said to."""

    group: Group
    place: str
    owner_id: Id | None
    may_write: frozenset[Id]
    on_foreign: OnForeign
    effective_from: datetime
    set_at: datetime

    def allows(self, connection_id: Id) -> bool:
        """Say whether a system may write what this rule is about."""
        return self.owner_id in {None, connection_id} or connection_id in self.may_write


@dataclass(frozen=True, slots=True)
class Matrix:
    """The rules of a retailer, the systems that state something of each group, its own connection."""

    rules: tuple[Rule, ...] = ()
    sources: frozenset[tuple[Group, Id]] = frozenset()
    core_id: Id | None = None

    def has_rule(self, group: Group) -> bool:
        """Say whether somebody decided about a group."""
        return any(each.group == group for each in self.rules)

    def sources_of(self, group: Group) -> frozenset[Id]:
        """Give the systems that state something of a group."""
        return frozenset(connection_id for name, connection_id in self.sources if name == group)


NO_MATRIX = Matrix()


def rule_for(rules: Sequence[Rule], group: Group, place: str, at: datetime) -> Rule | None:
    """Give the rule that counts at a moment: that of the place before that of everywhere else.

    Of one place the newest that is effective counts. One that says that nobody owns a place counts, too.
    """
    for where in dict.fromkeys((place, EVERYWHERE)):
        fitting = [
            each
            for each in rules
            if (each.group, each.place) == (group, where) and each.effective_from <= at
        ]
        if fitting:
            return max(fitting, key=lambda each: (each.effective_from, each.set_at))
    return None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule that a person wants."""

    group: Group
    owner_id: Id | None
    reason: str
    effective_from: datetime
    place: str = EVERYWHERE
    may_write: frozenset[Id] = field(default_factory=frozenset)
    on_foreign: OnForeign = "hold"

    def as_rule(self, after: datetime | None) -> Rule:
        """Give the rule as it would be, set after all that are there."""
        set_at = max(self.effective_from, after) if after else self.effective_from
        return Rule(
            *(self.group, self.place, self.owner_id, self.may_write, self.on_foreign),
            *(self.effective_from, set_at),
        )
