"""A write of what another system owns: what the rule makes of it, with both sides shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.ownership.groups import GROUPS, OnForeign
from app.ownership.matrix import Matrix, Rule, rule_for
from app.ownership.stated import Last, Subject
from app.ownership.statements import Statement
from app.pipeline.reading import Read
from connectors.sdk.message import HoldRecord
from infra.ids import Id

SKIP_FOREIGN = "skipped.foreign_write"
SKIP_AGREES = "skipped.owner_agrees"


@dataclass(frozen=True, slots=True)
class Foreign:
    """What was written, who owns it, what the owner said last, and what the rule says."""

    read: Read
    statement: Statement
    owner_id: Id
    owners_last: Last | None
    on_foreign: OnForeign
    agrees: bool = False

    @property
    def skip_code(self) -> str:
        """Say why it is left aside."""
        return SKIP_AGREES if self.agrees else SKIP_FOREIGN

    @property
    def is_held(self) -> bool:
        """Say whether a person has to decide."""
        return self.on_foreign == "hold" and not self.agrees

    def words(self, names: Mapping[Id, str]) -> str:
        """Tell both sides: what was said, who owns it, and what the owner said last."""
        each, event = self.statement, self.read.event
        where = f" at {each.place}" if each.place else ""
        owner, writer = names[self.owner_id], names[self.read.message.connection_id]
        said = f" {each.value}" if each.value is not None else " that it changes"
        last = self.owners_last
        owners = (
            f"{owner} said {last.value} at {last.stated_at:%Y-%m-%d %H:%M} UTC"
            if last
            else f"{owner} has said nothing of it yet"
        )
        return (
            f"{GROUPS[each.group].words} belong to {owner}. Of {each.attribute} of"
            f" {each.object_id}{where} {writer} says{said} ({event.occurred_at:%Y-%m-%d %H:%M} UTC);"
            f" {owners}."
        )

    def hold(self, names: Mapping[Id, str]) -> HoldRecord:
        """Hold it for a person, who may let it count once or change the owner."""
        return HoldRecord(
            "ownership.foreign_write",
            "/body",
            f"{self.words(names)} Release it to let it count this once, change who owns it, or discard.",
            self.read.event.amount,
        )


def foreign_write(
    read: Read,
    stated: Sequence[Statement],
    matrix: Matrix,
    last: Mapping[Subject, Sequence[Last]],
) -> Foreign | None:
    """Give the first statement of an event that its source may not make; None when it may all.

    A rule counts from the moment on at which it is effective, by the time at which something happened:
    what a system said while it was the owner counts, however late it comes.
    """
    writer = read.message.connection_id
    agreeing: list[Foreign] = []
    for each in stated:
        rule = rule_for(matrix.rules, each.group, each.place, read.event.occurred_at)
        if rule is None or rule.on_foreign == "accept" or rule.allows(writer):
            continue
        found = _foreign(read, each, rule, last)
        if found is not None and not found.agrees:
            return found
        agreeing += [found] if found else []
    # What repeats the owner says nothing; what also says something of its own goes on.
    return agreeing[0] if agreeing and len(agreeing) == len(stated) else None


def _foreign(
    read: Read, statement: Statement, rule: Rule, last: Mapping[Subject, Sequence[Last]]
) -> Foreign | None:
    if rule.owner_id is None:
        return None
    subject = (statement.attribute, statement.object_id, statement.place)
    owners = next(
        (each for each in last.get(subject, ()) if each.connection_id == rule.owner_id), None
    )
    agrees = owners is not None and owners.value == statement.value
    return Foreign(read, statement, rule.owner_id, owners, rule.on_foreign, agrees)
