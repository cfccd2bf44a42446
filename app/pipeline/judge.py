"""From what was read to what counts: names bound, owners heard, repeats found, the core told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.identities.known import NOBODY_NAMED, Named
from app.ownership.matrix import NO_MATRIX, Matrix
from app.pipeline.apply import apply
from app.pipeline.bind import bind
from app.pipeline.own import own
from app.pipeline.reading import Read, Refused, Waiting
from app.pipeline.trade_numbers import look_for_shared_numbers
from app.pipeline.twice_told import find_told_twice
from app.pipeline.unknown_names import deal_with_unknown
from infra.database.unit import Session
from infra.keys.vault import TenantKey


@dataclass(frozen=True, slots=True)
class Decided:
    """What the retailer decided: which systems have names of their own, who owns what."""

    named: Named = NOBODY_NAMED
    matrix: Matrix = NO_MATRIX


NOTHING_DECIDED = Decided()


@dataclass(slots=True)
class Judged:
    """Events that go on, messages to hold, messages that are left aside with the reason."""

    read: list[Read]
    refused: list[Refused]
    skipped: list[tuple[Waiting, str]] = field(default_factory=list)


async def judge(
    session: Session,
    key: TenantKey,
    decided: Decided,
    fresh: list[Read],
    refused: Sequence[Refused],
) -> Judged:
    """Let every step take out what it must hold; what a message has beside that is held with it.

    `refused` are messages that are held already. Each step sees only what those before it let pass, so
    the retail core never hears of what is held.
    """
    bound = await bind(session, decided.named, fresh)
    judged = Judged(bound.read, list(refused))
    _hold(judged, await deal_with_unknown(session, bound.unknown))
    owned = await own(session, key, decided.matrix, judged.read)
    judged.read, judged.skipped = owned.read, owned.skipped
    _hold(judged, owned.refused)
    _hold(judged, await find_told_twice(session, judged.read))
    await look_for_shared_numbers(session, judged.read)
    _hold(judged, await apply(session, key, judged.read))
    return judged


def _hold(judged: Judged, refused: Sequence[Refused]) -> None:
    """Leave out every event of a message that is held."""
    judged.refused += refused
    blocked = {one.message.id for one in judged.refused}
    judged.read = [one for one in judged.read if one.message.id not in blocked]
