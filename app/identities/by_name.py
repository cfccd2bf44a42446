"""Propose what an unknown name probably means, by the name alone, and say it in words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from app.connections.tenant import acting_tenant
from app.identities.bindings import Kind, Name
from app.identities.review import Likely, propose_likely
from app.identities.suggest import MOST_CANDIDATES, WEIGHTS
from infra.database.unit import Session
from infra.ids import Id

# Of persons a number of one system says nothing in another.
_COMPARED: frozenset[Kind] = frozenset({"variant", "location"})
_ALIKE = """
select asked.place, identity.id, identity.code, identity.label, identity.code = asked.name as is_same
from unnest($3::text[], $4::text[]) with ordinality as asked (name, plain, place)
join identity on identity.tenant_id = $1 and identity.kind = $2 and identity.merged_into is null
    and identity.code <> '' and (identity.code = asked.name or identity.plain_code = asked.plain)
order by asked.place, is_same desc, identity.id
"""
_SAME, _NEAR = "the same SKU", "nearly the same SKU"


async def propose_by_name(session: Session, names: Sequence[Name]) -> dict[Name, str]:
    """Ask a person about names that nobody knows; gives words about the most probable of each.

    Calling it again asks nothing twice, and nothing that a person has said already.
    """
    told: dict[Name, str] = {}
    likely: list[tuple[Name, Likely]] = []
    by_kind: defaultdict[Kind, list[Name]] = defaultdict(list)
    for name in sorted(set(names)):
        by_kind[name.kind].append(name)
    for kind in sorted(_COMPARED & by_kind.keys()):
        for name, found in await _alike(session, kind, by_kind[kind]):
            likely.append((name, Likely(found[0], _score(found[3]), (_sign(found[3]),))))
            told.setdefault(name, f"{found[2] or found[1]} ({_sign(found[3])})")
    await propose_likely(session, likely)
    return told


_Found = tuple[Id, str, str, bool]


async def _alike(session: Session, kind: Kind, names: Sequence[Name]) -> list[tuple[Name, _Found]]:
    rows = await session.fetch(
        _ALIKE,
        acting_tenant(session),
        kind,
        [name.external_id for name in names],
        [plain(name.external_id) for name in names],
    )
    counted: defaultdict[int, int] = defaultdict(int)
    found = []
    for row in rows:
        counted[row["place"]] += 1
        if counted[row["place"]] <= MOST_CANDIDATES:
            one = (row["id"], row["code"], row["label"], row["is_same"])
            found.append((names[row["place"] - 1], one))
    return found


def plain(name: str) -> str:
    """Leave letters and digits, small, without leading zeros; nothing compares with nothing."""
    return re.sub(r"[\W_]+", "", name).lower().lstrip("0") or "\x01"


def _sign(is_same: bool) -> str:  # noqa: FBT001 - a column of the answer
    return _SAME if is_same else _NEAR


def _score(is_same: bool) -> Decimal:  # noqa: FBT001 - as above
    return Decimal(str(WEIGHTS[_sign(is_same)]))
