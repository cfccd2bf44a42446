"""From a system's name to our number as of a moment, and from our number to a system's name now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.connections.tenant import acting_tenant
from app.identities.bindings import Kind, Name
from infra.database.unit import Session
from infra.ids import Id, parse_id

# After a merge the number is that of the object that it is now.
_NUMBERS = """
select asked.place, coalesce(nullif(present.code, ''), present.id::text) as number
from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
    with ordinality as asked (connection_id, kind, external_id, at, place)
join binding on binding.tenant_id = $1 and binding.connection_id = asked.connection_id
    and binding.kind = asked.kind and binding.external_id = asked.external_id
    and binding.valid_from <= asked.at and (binding.valid_to is null or asked.at < binding.valid_to)
join identity told on told.tenant_id = $1 and told.id = binding.identity_id
join identity present on present.tenant_id = $1
    and present.id = coalesce(told.merged_into, told.id)
"""
# The oldest of several: another name for the same article is added, the first one stays in use. What
# was ordered under an object that was merged since goes out under the name of the one that it is.
_NAMES = """
select asked.place, found.external_id, told.id is not null as is_known,
    exists (select from identity_match waiting where waiting.tenant_id = $1
        and waiting.connection_id = $2 and waiting.state = 'open'
        and waiting.candidate_id = coalesce(told.merged_into, told.id)) as is_undecided
from unnest($3::text[], $4::text[], $5::uuid[]) with ordinality as asked (kind, number, id, place)
left join identity told on told.tenant_id = $1 and told.kind = asked.kind
    and ((told.code = asked.number and told.code <> '') or (told.code = '' and told.id = asked.id))
left join lateral (
    select external_id from binding where binding.tenant_id = $1
        and binding.identity_id = coalesce(told.merged_into, told.id)
        and binding.connection_id = $2 and valid_to is null and valid_from <= now()
    order by valid_from, external_id limit 1) found on true
"""


@dataclass(frozen=True, slots=True)
class TargetName:
    """What a system calls an object: nothing, when nobody has said so.

    `is_known` is false for a number that is none of ours; `is_undecided` says that a person has yet
    to say whether a name of that system means it.
    """

    external_id: str | None
    is_known: bool
    is_undecided: bool = False


async def our_numbers(session: Session, asked: Sequence[tuple[Name, datetime]]) -> list[str | None]:
    """Give our number for each name as of its moment, in the order asked; None for a name of none."""
    if not asked:
        return []
    rows = await session.fetch(
        _NUMBERS,
        acting_tenant(session),
        [name.connection_id for name, _ in asked],
        [name.kind for name, _ in asked],
        [name.external_id for name, _ in asked],
        [at for _, at in asked],
    )
    found = {row["place"]: row["number"] for row in rows}
    return [found.get(place + 1) for place in range(len(asked))]


async def target_names(
    session: Session, connection_id: Id, asked: Sequence[tuple[Kind, str]]
) -> dict[tuple[Kind, str], TargetName]:
    """Give what a system calls objects today, by kind and our number."""
    wanted = sorted(set(asked))
    rows = await session.fetch(
        _NAMES,
        acting_tenant(session),
        connection_id,
        [kind for kind, _ in wanted],
        [number for _, number in wanted],
        [parse_id(number) for _, number in wanted],
    )
    return {
        wanted[row["place"] - 1]: TargetName(
            row["external_id"], row["is_known"], row["is_undecided"]
        )
        for row in rows
    }
