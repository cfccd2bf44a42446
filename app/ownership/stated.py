"""What each system said last of what several say something about, in the book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.connections.tenant import acting_tenant
from app.ownership.turns import Turn
from infra.database.unit import Row, Session
from infra.ids import Id

# Attribute, object and place.
Subject = tuple[str, str, str]

_LAST = """
select attribute, object_id, place, connection_id, value, stated_at, times from truth_stated
where tenant_id = $1 and (attribute, object_id, place) in (
    select * from unnest($2::text[], $3::text[], $4::text[]))
"""
_TURNS = """
select attribute, object_id, place, connection_id, value, stated_at, flips, frozen_at from truth_turn
where tenant_id = $1 and (attribute, object_id, place) in (
    select * from unnest($2::text[], $3::text[], $4::text[]))
"""
_SAY = """
insert into truth_stated (tenant_id, attribute, object_id, place, connection_id, value, stated_at,
    event_id, contract)
select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::timestamptz[],
    $8::uuid[], $9::text[])
on conflict (tenant_id, attribute, object_id, place, connection_id) do update set
    value = excluded.value, stated_at = excluded.stated_at, event_id = excluded.event_id,
    contract = excluded.contract, times = truth_stated.times + 1
where truth_stated.stated_at <= excluded.stated_at
"""
_TURN = """
insert into truth_turn (tenant_id, attribute, object_id, place, connection_id, value, stated_at, flips,
    frozen_at)
select $1, attribute, object_id, place, connection_id, value, stated_at,
    coalesce(string_to_array(nullif(flips, ''), '|')::timestamptz[], '{}'), frozen_at
from unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::timestamptz[], $8::text[],
    $9::timestamptz[])
    as t (attribute, object_id, place, connection_id, value, stated_at, flips, frozen_at)
on conflict (tenant_id, attribute, object_id, place) do update set
    connection_id = excluded.connection_id, value = excluded.value, stated_at = excluded.stated_at,
    flips = excluded.flips, frozen_at = excluded.frozen_at
"""
_NEW_SOURCES = """
insert into truth_source (tenant_id, attribute_group, connection_id)
select $1, * from unnest($2::text[], $3::uuid[]) on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Last:
    """What a system said last of a subject, when (business time), and how often it said something."""

    connection_id: Id
    value: str
    stated_at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Said:
    """One value to write down: who said it of what, when, in which event under which contract."""

    subject: Subject
    connection_id: Id
    value: str
    stated_at: datetime
    event_id: Id
    contract: str


async def add_sources(session: Session, found: Iterable[tuple[str, Id]]) -> None:
    """Note which systems state something of which group; safe to call again."""
    rows = sorted(set(found))
    await session.execute(
        _NEW_SOURCES,
        acting_tenant(session),
        [group for group, _ in rows],
        [connection_id for _, connection_id in rows],
    )


async def last_said(session: Session, subjects: Sequence[Subject]) -> dict[Subject, list[Last]]:
    """Give what each system said last, by subject."""
    rows = await session.fetch(_LAST, acting_tenant(session), *_columns(subjects))
    found: dict[Subject, list[Last]] = {}
    for row in rows:
        last = Last(row["connection_id"], row["value"], row["stated_at"], row["times"])
        found.setdefault(_subject(row), []).append(last)
    return found


async def turns_of(session: Session, subjects: Sequence[Subject]) -> dict[Subject, Turn]:
    """Give whose word counts, by subject."""
    rows = await session.fetch(_TURNS, acting_tenant(session), *_columns(subjects))
    return {
        _subject(row): Turn(
            row["connection_id"],
            row["value"],
            row["stated_at"],
            tuple(row["flips"]),
            row["frozen_at"],
        )
        for row in rows
    }


async def write_said(session: Session, said: Sequence[Said]) -> None:
    """Write down what was said; of one subject and system the last of a batch, never an older one."""
    newest: dict[tuple[Subject, Id], Said] = {}
    for each in said:
        key = (each.subject, each.connection_id)
        if key not in newest or newest[key].stated_at <= each.stated_at:
            newest[key] = each
    rows = [newest[key] for key in sorted(newest)]
    if rows:
        await session.execute(
            _SAY,
            acting_tenant(session),
            *_columns([each.subject for each in rows]),
            [each.connection_id for each in rows],
            [each.value for each in rows],
            [each.stated_at for each in rows],
            [each.event_id for each in rows],
            [each.contract for each in rows],
        )


async def write_turns(session: Session, turns: Mapping[Subject, Turn]) -> None:
    """Write down whose word counts now."""
    rows = sorted(turns.items())
    if rows:
        await session.execute(
            _TURN,
            acting_tenant(session),
            *_columns([subject for subject, _ in rows]),
            [turn.connection_id for _, turn in rows],
            [turn.value for _, turn in rows],
            [turn.stated_at for _, turn in rows],
            ["|".join(each.isoformat() for each in turn.flips) for _, turn in rows],
            [turn.frozen_at for _, turn in rows],
        )


def _columns(subjects: Sequence[Subject]) -> tuple[list[str], list[str], list[str]]:
    return (
        [each[0] for each in subjects],
        [each[1] for each in subjects],
        [each[2] for each in subjects],
    )


def _subject(row: Row) -> Subject:
    return row["attribute"], row["object_id"], row["place"]
