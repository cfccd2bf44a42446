"""An event in the names of its target, found when it is sent: what is bound by then counts."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from app.flows.overrides import Fault
from app.identities.bindings import Kind
from app.identities.known import NamingSystems
from app.identities.references import Reference, references, renamed_body
from app.identities.translate import TargetName, target_names
from connectors.canonical.event import Event
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id

_WHAT: dict[Kind, str] = {"variant": "article", "location": "place"}

Names = Mapping[tuple[Kind, str], TargetName]


class TargetNames:
    """Puts events into the names of their targets; where a target has none, nothing is asked.

    An article or place of ours without a name over there stops the delivery: under another name it
    would become a second article. A customer without one is left out; persons are optional.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._systems = NamingSystems(database)

    async def named(self, tenant_id: Id, connection_id: Id, event: Event) -> Event | Fault:
        """Give the event as its target calls things, or what has no name there."""
        systems = await self._systems.of(tenant_id)
        kinds = {kind for system_id, kind in systems if system_id == connection_id}
        asked = [each for each in references(event) if each.kind in kinds] if kinds else []
        if not asked:
            return event
        async with begin(TenantScope(tenant_id, "engine"), self._database) as session:
            found = await target_names(
                session, connection_id, [(each.kind, each.name) for each in asked]
            )
        for reference in asked:
            fault = _fault(reference, found[reference.kind, reference.name])
            if fault is not None:
                return fault
        return _written(event, kinds, found)


def _fault(reference: Reference, found: TargetName) -> Fault | None:
    """Say why nothing can be sent; a name that is none of ours is sent as it is."""
    if not found.is_known or found.external_id is not None or reference.kind == "customer":
        return None
    what = _WHAT.get(reference.kind, reference.kind)
    pointer = f"/body{reference.pointer}"
    if found.is_undecided:
        words = (
            f"The target probably knows our {what} {reference.name} under another name. Say whether it"
            " does; then this is sent by itself."
        )
        return Fault("identity.undecided", pointer, words)
    words = (
        f"The target has no name for our {what} {reference.name}. Bind the name that it has there; then"
        " this is sent by itself."
    )
    return Fault("identity.no_name", pointer, words)


def _written(event: Event, kinds: set[Kind], names: Names) -> Event:
    def change(kind: Kind, _: str, name: str) -> str | None:
        found = names.get((kind, name)) if kind in kinds else None
        return name if found is None or not found.is_known else found.external_id

    return msgspec.structs.replace(event, body=renamed_body(event.body, change))
