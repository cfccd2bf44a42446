"""Acts on many exceptions: what was asked, what it would do, and doing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from app.exceptions.hold import HoldFilter
from app.exceptions.work.assign import Assignment
from app.exceptions.work.bulk import BulkAct, Decide, run_bulk
from app.exceptions.work.selection import BulkPreview, Selection, preview_bulk
from infra.errors import Unprocessable
from infra.ids import parse_id
from portal.door.desk import Desk
from portal.page.words import moneys, plural
from portal.screens.exceptions.selection import asked

REASON_MIN, REASON_MOST = 3, 500
Act = Literal["release", "discard", "assign"]
DOES: dict[Act, str] = {"release": "released", "discard": "given up", "assign": "given to"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One act on the chosen records, or (`all`) on everything that the filter finds."""

    act: Act
    ids: tuple[str, ...]
    is_all: bool
    query: dict[str, str]
    reason: str
    owner: str

    def selection(self, actor: str) -> Selection:
        """Name the records as the book is asked."""
        if self.is_all:
            found: HoldFilter = asked(self.query).filter.hold_filter(actor)
            return Selection(filter=found)
        known = [each for each in map(parse_id, self.ids) if each is not None]
        if not known:
            raise Unprocessable("Choose at least one record first.", code="portal.nothing_chosen")
        return Selection(ids=tuple(known))

    def does(self, actor: str) -> BulkAct:
        """Name the act; raises Unprocessable when it lacks what it needs."""
        if self.act == "assign":
            return Assignment(actor if self.owner in ("", "me") else self.owner)
        if self.act == "discard" and len(self.reason) < REASON_MIN:
            raise Unprocessable("Say why they are given up.", code="portal.reason_needed")
        return Decide(self.act, self.reason)


async def would(desk: Desk, wanted: Wanted) -> dict[str, Any]:
    """Say what the act would do; nothing is changed."""
    preview: BulkPreview = await preview_bulk(
        desk.scope,
        desk.parts.database,
        wanted.selection(desk.scope.actor),
        decides=wanted.act != "assign",
    )
    return {
        "wanted": wanted,
        "preview": preview,
        "money": moneys(preview.money),
        "does": DOES[wanted.act],
        "to": (desk.scope.actor if wanted.owner in ("", "me") else wanted.owner),
        "refused": sum(preview.refused.values()),
    }


async def done(desk: Desk, wanted: Wanted) -> str:
    """Do it, and say in one sentence what was done."""
    actor = desk.scope.actor
    result = await run_bulk(
        desk.scope,
        desk.parts.database,
        wanted.selection(actor),
        wanted.does(actor),
        desk.parts.ring,
    )
    refused = f", {len(result.refused)} were decided before" if result.refused else ""
    return f"{plural(len(result.done), 'record')} {DOES[wanted.act].split()[0]}{refused}."
