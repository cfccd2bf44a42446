"""Decide who may say what: a write of somebody else waits, is left aside, or counts by rule.

Of what only one system states, and nobody decided about, nothing is looked up. What several state is
compared: two truths of one thing become a break, and what goes to and fro is frozen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.ownership.book import read_matrix
from app.ownership.groups import GROUPS, Group
from app.ownership.matrix import Matrix
from app.ownership.stated import (
    Last,
    Said,
    Subject,
    add_sources,
    last_said,
    turns_of,
    write_said,
    write_turns,
)
from app.ownership.statements import Statement, statements
from app.ownership.turns import Turn, take_turn
from app.pipeline.foreign import Foreign, foreign_write
from app.pipeline.own_words import (
    Contradiction,
    connection_names,
    tell_of_foreign,
    tell_of_truths,
)
from app.pipeline.reading import Read, Refused, Waiting
from app.pipeline.restore import restore
from app.pipeline.rows import clean
from connectors.canonical.event import BODIES
from infra.database.unit import Session
from infra.ids import Id
from infra.keys.vault import TenantKey

_GROUPS_OF: dict[str, tuple[Group, ...]] = {
    event_type: tuple(name for name, group in GROUPS.items() if event_type in group.types)
    for event_type in BODIES
}


@dataclass(slots=True)
class Owned:
    """Events that go on, messages to hold, messages that are left aside with the reason."""

    read: list[Read] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    skipped: list[tuple[Waiting, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Known:
    """What the book knows of the subjects of a batch, and what the batch adds."""

    matrix: Matrix
    last: dict[Subject, list[Last]]
    turns: dict[Subject, Turn]
    names: dict[Id, str]
    said: list[Said] = field(default_factory=list)
    turned: dict[Subject, Turn] = field(default_factory=dict)
    foreign: list[Foreign] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)


async def own(session: Session, key: TenantKey, matrix: Matrix, read: list[Read]) -> Owned:
    """Take out of a batch what its source does not own, and what contradicts itself."""
    writes = {
        (group, one.message.connection_id)
        for one in read
        for group in _GROUPS_OF[one.event.type]
        if one.message.connection_id != matrix.core_id
    }
    if writes - matrix.sources:
        await add_sources(session, writes - matrix.sources)
        matrix = await read_matrix(session)
    watched = {
        group
        for group, _ in writes
        if matrix.has_rule(group) or len(matrix.sources_of(group) - {matrix.core_id}) > 1
    }
    if not watched:
        return Owned(read)
    return await _compared(session, key, matrix, read, watched)


async def _compared(
    session: Session, key: TenantKey, matrix: Matrix, read: list[Read], watched: set[Group]
) -> Owned:
    stated = {
        one.id: [] if one.message.connection_id == matrix.core_id else _stated(one, watched)
        for one in read
    }
    subjects = sorted({_subject(each) for found in stated.values() for each in found})
    known = _Known(
        matrix,
        await last_said(session, subjects),
        await turns_of(session, subjects),
        await connection_names(session),
    )
    owned = Owned()
    for one in read:
        _decide(one, stated[one.id], known, owned)
    await write_said(session, known.said)
    await write_turns(session, known.turned)
    await tell_of_foreign(session, known.foreign, known.names)
    await tell_of_truths(session, known.contradictions, known.names)
    await restore(session, key, known.foreign)
    return owned


def _stated(read: Read, watched: set[Group]) -> list[Statement]:
    return [
        Statement(
            each.group,
            each.attribute,
            clean(each.object_id),
            clean(each.place),
            None if each.value is None else clean(each.value),
        )
        for each in statements(read.event)
        if each.group in watched
    ]


def _decide(read: Read, stated: Sequence[Statement], known: _Known, owned: Owned) -> None:
    """Say what becomes of one event; what a person released counts, whoever said it."""
    is_vouched_for = read.message.revision > 0
    foreign = foreign_write(read, stated, known.matrix, known.last)
    if foreign is not None and not is_vouched_for:
        known.foreign.append(foreign)
        if foreign.is_held:
            owned.refused.append(Refused(read.message, foreign.hold(known.names)))
        else:
            owned.skipped.append((read.message, foreign.skip_code))
        return
    contradictions = _take_turns(read, stated, known)
    frozen = [each for each in contradictions if each.turn.frozen_at is not None]
    known.contradictions += [each for each in contradictions if each.is_new]
    if frozen and not is_vouched_for:
        owned.refused.append(Refused(read.message, frozen[0].hold(known.names)))
        return
    owned.read.append(read)


def _take_turns(read: Read, stated: Sequence[Statement], known: _Known) -> list[Contradiction]:
    """Let an event have its say about all that it states; gives what contradicts, or is frozen."""
    found = []
    connection_id = read.message.connection_id
    for each in stated:
        if each.value is None:
            continue
        subject, at = _subject(each), read.event.occurred_at
        before = known.turns.get(subject)
        taken = take_turn(before, connection_id, each.value, at)
        if taken.turn != before:
            known.turns[subject] = known.turned[subject] = taken.turn
        _note(read, subject, each.value, known)
        if taken.is_contradiction or taken.turn.frozen_at is not None:
            others = [last for last in known.last[subject] if last.connection_id != connection_id]
            mine = [last for last in known.last[subject] if last.connection_id == connection_id]
            found.append(
                Contradiction(read, subject, taken.turn, (*others, *mine), taken.is_contradiction)
            )
    return found


def _note(read: Read, subject: Subject, value: str, known: _Known) -> None:
    """Keep what a system said last, in the book and for the rest of this batch."""
    connection_id, at = read.message.connection_id, read.event.occurred_at
    contract = BODIES[read.event.type][1]
    known.said.append(Said(subject, connection_id, value, at, read.id, contract))
    last = {each.connection_id: each for each in known.last.get(subject, [])}
    mine = last.get(connection_id)
    times = 1 if mine is None else mine.times + 1
    if mine is None or mine.stated_at <= at:
        last[connection_id] = Last(connection_id, value, at, times)
    known.last[subject] = list(last.values())


def _subject(statement: Statement) -> Subject:
    return statement.attribute, statement.object_id, statement.place
