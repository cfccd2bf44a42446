"""Tell people of foreign writes, of two truths, and of what goes to and fro: breaks, with both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.connections.tenant import acting_tenant
from app.ownership.stated import Last, Subject
from app.ownership.turns import FLIPS_TO_FREEZE, Turn
from app.pipeline.foreign import Foreign
from app.pipeline.reading import Read
from app.retail.breaks import Seen, see_breaks
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.ids import Id

VIOLATION, DUPLICATE, OSCILLATION = "ownership.violation", "truth.duplicate", "truth.oscillation"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A statement against that of another system: what each said last, and whose word counts now."""

    read: Read
    subject: Subject
    turn: Turn
    last: tuple[Last, ...]
    # False: the subject was frozen before, and nobody is told again.
    is_new: bool

    def words(self, names: Mapping[Id, str]) -> str:
        """Name the systems, how often each said something, and what it said last."""
        sides = "; ".join(
            f"{names[each.connection_id]} says {each.value} ({each.times} times, last"
            f" {each.stated_at:%Y-%m-%d %H:%M} UTC)"
            for each in self.last
        )
        return f"{len(self.last)} systems state {_told(self.subject)} differently: {sides}."

    def hold(self, names: Mapping[Id, str]) -> HoldRecord:
        """Hold what is frozen until a person says who owns it."""
        return HoldRecord(
            "truth.frozen",
            "/body",
            f"{self.words(names)} It went to and fro {FLIPS_TO_FREEZE} times in ten minutes, so nothing"
            " of it is sent on. Switch one of them off or say who owns it, then thaw it.",
        )


async def connection_names(session: Session) -> dict[Id, str]:
    """Give what the retailer calls its systems."""
    rows = await session.fetch(
        "select id, name from connection where tenant_id = $1", acting_tenant(session)
    )
    return {row["id"]: row["name"] for row in rows}


async def tell_of_foreign(
    session: Session, foreign: Sequence[Foreign], names: Mapping[Id, str]
) -> None:
    """Make a break of each write that is left aside; what is held is seen as held already."""
    seen = [
        Seen(
            VIOLATION,
            f"{each.statement.attribute}/{each.statement.object_id}/{each.statement.place}"
            f"/{names[each.read.message.connection_id]}",
            f"{each.words(names)} It was left aside"
            f"{' and the value of the owner sent back' if each.on_foreign == 'restore' else ''}.",
            each.statement.place,
        )
        for each in foreign
        if not each.agrees and not each.is_held
    ]
    await see_breaks(session, acting_tenant(session), seen)


async def tell_of_truths(
    session: Session, found: Sequence[Contradiction], names: Mapping[Id, str]
) -> None:
    """Make a break of each thing that two systems state differently, and of each that is frozen."""
    seen = []
    for each in found:
        attribute, object_id, place = each.subject
        is_frozen = each.turn.frozen_at is not None
        seen.append(
            Seen(
                OSCILLATION if is_frozen else DUPLICATE,
                f"{attribute}/{object_id}/{place}",
                f"{each.words(names)}{_FROZEN if is_frozen else ''} Say who owns it.",
                place,
            )
        )
    await see_breaks(session, acting_tenant(session), seen)


_FROZEN = (
    f" It went to and fro {FLIPS_TO_FREEZE} times in ten minutes and is frozen until you thaw it."
)


def _told(subject: Subject) -> str:
    attribute, object_id, place = subject
    return f"{attribute} of {object_id}{f' at {place}' if place else ''}"
