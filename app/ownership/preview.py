"""What a change of the matrix would do, before it is made: which flows write what they do not own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.connections.tenant import acting_tenant
from app.ownership.book import read_matrix
from app.ownership.groups import GROUPS, Group, OnForeign
from app.ownership.matrix import EVERYWHERE, Matrix, Rule, Wanted, rule_for
from app.ownership.set_rule import require_rule, with_wanted
from infra import clock
from infra.database.unit import Row, Session
from infra.ids import Id

_FLOWS = """
select flow.id, flow.name, flow.source_connection_id, flow.event_types, source.name as source
from flow join connection source on source.tenant_id = flow.tenant_id
    and source.id = flow.source_connection_id
where flow.tenant_id = $1 and flow.is_enabled and source.connector <> 'core' order by flow.name
"""
# Which places somebody said something of: where a rule of a place counts, it is that one.
_PLACES = """
select attribute, place, count(*) as subjects from truth_stated
where tenant_id = $1 and connection_id = $2 group by attribute, place
"""


@dataclass(frozen=True, slots=True)
class Offending:
    """A flow whose source writes what it does not own, and what would happen to that."""

    flow_id: Id
    flow: str
    source: str
    group: Group
    place: str
    on_foreign: OnForeign
    # How many objects it stated something of, as far as the book compares them.
    subjects: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The flows that would write what they do not own, and the sentence about them."""

    offending: tuple[Offending, ...]

    @property
    def words(self) -> str:
        """Say it in one sentence."""
        flows = len({each.flow_id for each in self.offending})
        if not flows:
            return "Every flow writes only what its source owns."
        one = "This flow writes" if flows == 1 else f"These {flows} flows write"
        return f"{one} what the source does not own."


async def preview_rules(session: Session, wanted: Sequence[Wanted] = ()) -> Preview:
    """Say which enabled flows write what they do not own, with rules as wanted besides those set.

    Raises as `set_rule` does for what cannot be a rule. Writes nothing.
    """
    for each in wanted:
        await require_rule(session, each)
    matrix = with_wanted(await read_matrix(session), wanted)
    at = max([clock.now(), *(each.effective_from for each in wanted)])
    found: list[Offending] = []
    for flow in await session.fetch(_FLOWS, acting_tenant(session)):
        stated = await _stated(session, flow["source_connection_id"])
        found += _offending(matrix, at, flow, stated)
    return Preview(tuple(found))


def _offending(
    matrix: Matrix, at: datetime, flow: Row, stated: Mapping[tuple[str, str], int]
) -> Iterator[Offending]:
    """Give the places of each group that a flow writes and its source does not own."""
    written = [each for each in GROUPS.values() if each.types & set(flow["event_types"])]
    for group in written:
        for place in sorted({EVERYWHERE, *(where for name, where in stated if name == group.name)}):
            rule = rule_for(matrix.rules, group.name, place, at)
            if rule is not None and _is_foreign(rule, flow["source_connection_id"], place):
                named = (flow["id"], flow["name"], flow["source"], group.name, place)
                yield Offending(*named, rule.on_foreign, stated.get((group.name, place), 0))


def _is_foreign(rule: Rule, source_id: Id, place: str) -> bool:
    """Say whether a write is somebody else's; of a place the rule of everywhere is told once."""
    if rule.on_foreign == "accept" or rule.allows(source_id):
        return False
    return rule.place == place


async def _stated(session: Session, connection_id: Id) -> dict[tuple[str, str], int]:
    """Count objects by group and place; the group is what an attribute begins with."""
    rows = await session.fetch(_PLACES, acting_tenant(session), connection_id)
    counted: dict[tuple[str, str], int] = {}
    for row in rows:
        for group in GROUPS:
            if row["attribute"].split(".")[0] == group.split(".")[0]:
                key = (group, row["place"])
                counted[key] = counted.get(key, 0) + row["subjects"]
    return counted
