"""What searching shows: the life of one thing, or the retailers that know it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.connections.directory import read_connections
from app.health.life_line import Entry
from app.health.trace import Trace, trace
from infra.database.scope import TenantScope
from infra.database.unit import begin
from portal.door.desk import Desk
from portal.door.viewer import Viewer
from portal.reach import Reached, reached

QUERY_MOST = 200
# One search asks so many retailers, so many of them at one time.
MOST_ASKED, AT_ONCE = 60, 4
_KINDS = {"received": "Received from {system}", "routed": "On its way to {system}"}
_OUTCOMES = {
    "Delivered": "{system} took it",
    "Duplicate": "{system} had it already",
    "Rejected": "{system} refused it",
    "RetryLater": "{system} could not take it yet",
    "NotYet": "{system} waits for something else first",
    "AuthorizationLost": "{system} did not let us in",
    "Unknown": "{system} did not answer; that is looked into",
}
_ENDS = {
    "delivered": "Arrived at {system}",
    "superseded": "A newer one went to {system} instead",
    "discarded": "Given up by a person, does not reach {system}",
    "cancelled": "Cancelled, does not reach {system}",
}
_GOOD = {"Delivered", "Duplicate", "delivered"}
_BAD = {"Rejected", "held", "AuthorizationLost", "discarded"}


@dataclass(frozen=True, slots=True)
class Step:
    """One knot of the life line: what happened, with the tone of its knot."""

    entry: Entry
    tone: str
    words: str

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Give the particulars that say something."""
        return [(name, str(value)) for name, value in self.entry.facts.items() if value]


async def life(desk: Desk, query: str) -> dict[str, Any]:
    """Give the life line of what a query names, oldest first."""
    sought = query.strip()[:QUERY_MOST]
    found = await trace(desk.scope, desk.parts.database, sought) if sought else None
    titles = await _titles(desk) if found else {}
    steps = [
        Step(each, _tone(each), plain_words(each, titles))
        for each in (found.entries if found else ())
    ]
    return {
        "query": sought,
        "steps": steps,
        "is_cut": found.is_cut if found else False,
        "summary": _summary(steps),
    }


async def _titles(desk: Desk) -> dict[str, str]:
    """Give what people call each connection, by its name."""
    async with begin(desk.scope, desk.parts.database) as session:
        connections = await read_connections(session)
    return {each.name: each.title or each.name for each in connections}


async def everywhere(viewer: Viewer, query: str) -> dict[str, Any]:
    """Give the retailers at which something of this name is known."""
    sought = query.strip()[:QUERY_MOST]
    everyone = (await reached(viewer)) if sought else []
    turns = asyncio.Semaphore(AT_ONCE)

    async def ask(one: Reached) -> tuple[Reached, Trace]:
        async with turns:
            return one, await trace(
                TenantScope(one.id, viewer.actor), viewer.parts.database, sought
            )

    asked = everyone[:MOST_ASKED]
    answers = await asyncio.gather(*(ask(each) for each in asked))
    found = [(one, told) for one, told in answers if told.entries]
    return {"query": sought, "found": found, "asked": len(asked), "of": len(everyone)}


def plain_words(entry: Entry, titles: Mapping[str, str]) -> str:
    """Say one step as a shop would: who did what with it."""
    facts = entry.facts
    told = str(facts.get("target") or facts.get("connection") or "")
    system = titles.get(told, told)
    if entry.kind == "attempted":
        words = _OUTCOMES.get(str(facts.get("outcome")), "{system} was asked")
    elif entry.kind == "settled":
        words = _ENDS.get(str(facts.get("state")), "It ended at {system}")
    else:
        words = _KINDS.get(entry.kind, "")
    if not words:
        return f"{entry.words[:1].upper()}{entry.words[1:]}"
    reference = facts.get("external_ref") if entry.kind == "settled" else None
    return words.format(system=system) + (f" as {reference}" if reference else "")


def _tone(entry: Entry) -> str:
    if entry.kind == "held":
        return "bad" if entry.facts.get("state") == "open" else "warn"
    told = {str(entry.facts.get(name, "")) for name in ("outcome", "state")}
    if entry.kind in ("attempted", "settled"):
        return "ok" if told & _GOOD else "bad" if told & _BAD else "warn"
    return ""


def _summary(steps: list[Step]) -> str:
    """Say how it stands now."""
    if not steps:
        return ""
    still_held = any(each.tone == "bad" and each.entry.kind == "held" for each in steps)
    if still_held:
        return "It waits for a decision."
    settled = [each for each in steps if each.entry.kind == "settled"]
    deliveries = {each.entry.delivery_id for each in steps if each.entry.kind == "routed"}
    if deliveries and deliveries <= {each.entry.delivery_id for each in settled}:
        return "It has arrived everywhere it goes."
    return "It is on its way." if deliveries else "It was received."
