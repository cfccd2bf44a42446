"""Probable matches: found by the machine, said by a person, before a first write to a new system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.connections.tenant import acting_tenant
from app.identities.bind import bind_name
from app.identities.bindings import ALWAYS, Name
from app.identities.store import Grounds, acting_person, lock_names
from app.identities.suggest import Described, Known
from infra.database.unit import Row, Session
from infra.errors import Conflict, NotFound
from infra.ids import Id, new_id
from tenants.audit import record

# Nothing is asked about a name that means something, nor twice about one pair.
_PROPOSE = """
insert into identity_match (tenant_id, id, connection_id, kind, external_id, candidate_id, score,
    reasons)
select $1, proposed.id, proposed.connection_id, proposed.kind, proposed.external_id,
    proposed.candidate_id, proposed.score, string_to_array(proposed.reasons, '|')
from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::numeric[], $8::text[])
    as proposed (id, connection_id, kind, external_id, candidate_id, score, reasons)
where not exists (
    select from binding where binding.tenant_id = $1 and valid_to is null
        and binding.connection_id = proposed.connection_id and binding.kind = proposed.kind
        and binding.external_id = proposed.external_id)
on conflict (tenant_id, connection_id, kind, external_id, candidate_id) do nothing
"""
_LIST = """
select id, connection_id, kind, external_id, candidate_id, score, reasons from identity_match
where tenant_id = $1 and connection_id = $2 and state = 'open'
order by score desc, external_id, id limit $3
"""
_ONE = """
select id, connection_id, kind, external_id, candidate_id, score, reasons, state from identity_match
where tenant_id = $1 and id = $2
"""
_DECIDE = """
update identity_match set state = $3, decided_by = $4, decided_at = now()
where tenant_id = $1 and id = $2
"""
# Whoever is one of ours is no other of ours.
_DECIDE_OTHERS = """
update identity_match set state = 'rejected', decided_by = $5, decided_at = now()
where tenant_id = $1 and connection_id = $2 and kind = $3 and external_id = $4 and state = 'open'
"""
_UNDECIDED = """
select distinct external_id from identity_match
where tenant_id = $1 and state = 'open' and (connection_id, kind, external_id) in (
    select * from unnest($2::uuid[], $3::text[], $4::text[]))
"""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A name that probably means one of ours: how probable (0 to 1), and why."""

    id: Id
    name: Name
    candidate_id: Id
    score_0_1: Decimal
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Likely:
    """One of our objects that a name may mean: how probable (0 to 1), and why."""

    candidate_id: Id
    score_0_1: Decimal
    reasons: tuple[str, ...]


async def propose_matches(
    session: Session, newcomers: Mapping[Name, Described], known: Mapping[Id, Described]
) -> int:
    """Write down whom newcomers may be; gives how many pairs are new for a person to look at.

    Calling it again asks nothing twice, and nothing that a person has said already.
    """
    signs = Known(known)
    likely = [
        (name, Likely(each.identity_id, Decimal(str(each.score_0_1)), each.reasons))
        for name, described in newcomers.items()
        for each in signs.suggest(described)
    ]
    return await propose_likely(session, likely)


async def propose_likely(session: Session, likely: Sequence[tuple[Name, Likely]]) -> int:
    """Write pairs down for a person to look at; gives how many are new."""
    if not likely:
        return 0
    return await session.execute(
        _PROPOSE,
        acting_tenant(session),
        [new_id() for _ in likely],
        [name.connection_id for name, _ in likely],
        [name.kind for name, _ in likely],
        [name.external_id for name, _ in likely],
        [each.candidate_id for _, each in likely],
        [each.score_0_1 for _, each in likely],
        ["|".join(each.reasons) for _, each in likely],
    )


async def open_matches(session: Session, connection_id: Id, limit: int = 100) -> list[Proposed]:
    """List what a person has to say about a connection, the most probable first."""
    rows = await session.fetch(_LIST, acting_tenant(session), connection_id, limit)
    return [_proposed(row) for row in rows]


async def undecided(session: Session, names: Sequence[Name]) -> set[str]:
    """Give those names that nothing should be written under yet: a person has not said who they are."""
    rows = await session.fetch(
        _UNDECIDED,
        acting_tenant(session),
        [name.connection_id for name in names],
        [name.kind for name in names],
        [name.external_id for name in names],
    )
    return {row["external_id"] for row in rows}


async def accept_match(session: Session, match_id: Id, since: datetime = ALWAYS) -> None:
    """Let a name mean the candidate; other candidates of the name are rejected with it.

    Raises NotFound; Conflict when it was decided already, or the name means another object.
    """
    await lock_names(session)
    proposed = await _undecided_match(session, match_id)
    tenant_id, actor, name = acting_tenant(session), acting_person(session), proposed.name
    await session.execute(_DECIDE, tenant_id, match_id, "accepted", actor)
    await session.execute(
        _DECIDE_OTHERS, tenant_id, name.connection_id, name.kind, name.external_id, actor
    )
    grounds = Grounds(", ".join(proposed.reasons), proposed.score_0_1)
    await bind_name(session, name, proposed.candidate_id, grounds, since)


async def reject_matches(session: Session, match_ids: Iterable[Id]) -> None:
    """Say that names do not mean these candidates; nobody is asked about the pairs again.

    Raises NotFound; Conflict when one was decided already; then none is.
    """
    await lock_names(session)
    rejected = [await _undecided_match(session, match_id) for match_id in sorted(set(match_ids))]
    for each in rejected:
        await session.execute(
            _DECIDE, acting_tenant(session), each.id, "rejected", acting_person(session)
        )
    for each in rejected:
        detail = {"external_id": each.name.external_id, "candidate": str(each.candidate_id)}
        await record(session, "identities.reject_match", f"identity_match:{each.id}", detail)


async def _undecided_match(session: Session, match_id: Id) -> Proposed:
    row = await session.fetch_one(_ONE, acting_tenant(session), match_id)
    if row is None:
        raise NotFound
    if row["state"] != "open":
        raise Conflict(f"This was {row['state']} already.", code="identity.decided")
    return _proposed(row)


def _proposed(row: Row) -> Proposed:
    name = Name(row["connection_id"], row["kind"], row["external_id"])
    return Proposed(row["id"], name, row["candidate_id"], row["score"], tuple(row["reasons"]))
