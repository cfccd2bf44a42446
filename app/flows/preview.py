"""What a new mapping would do: tried on the newest stored events of the flow, nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from app.flows.overrides import Fault, Overrides, apply_overrides, compile_overrides
from app.flows.versions import Written, read_flow
from connectors.canonical.event import Event, decode, encode
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.ids import Id
from infra.keys.vault import Vault

MOST_SAMPLES = 500
USUAL_SAMPLES = 50

# Replays tell an event a second time: one sample for each event is enough.
_NEWEST = """
with newest as (
    select event_id, max(id::text) as at from (
        select event_id, id from delivery where tenant_id = $1 and flow_id = $2
        order by id desc limit $3) d
    group by event_id
)
select e.id, e.label, e.sealed, e.period from newest
join event e on e.tenant_id = $1 and e.id = newest.event_id order by newest.at desc
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One stored event under the present and under the new mapping.

    `was` and `becomes` are events as `encode` writes them; None where a mapping fails. `fault` is why
    the new one fails.
    """

    event_id: Id
    label: str
    effect: Literal["same", "changed", "fails", "mended"]
    was: bytes | None
    becomes: bytes | None
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen to the samples, newest first."""

    based_on: int
    samples: tuple[Sample, ...]

    def count(self, *effects: str) -> int:
        """Count the samples with any of these effects."""
        return sum(sample.effect in effects for sample in self.samples)


@dataclass(frozen=True, slots=True)
class PreviewParts:
    """What a preview works with."""

    database: Database
    vault: Vault


async def preview_overrides(
    scope: TenantScope, parts: PreviewParts, flow_id: Id, overrides: Sequence[Written], last: int
) -> Preview:
    """Try rules on the `last` newest events of a flow (at most 500).

    Raises: NotFound; Unprocessable for rules that cannot be used.
    """
    async with begin(scope, parts.database) as session:
        flow = await read_flow(session, flow_id)
        new = compile_overrides(overrides, flow.event_types)
        present = compile_overrides(flow.overrides, flow.event_types)
        stored = await _newest(session, parts.vault, scope, flow_id, min(last, MOST_SAMPLES))
    # Hundreds of large orders take a second of computation.
    samples = await asyncio.to_thread(_try_all, stored, present, new)
    return Preview(flow.version, samples)


_Stored = tuple[Id, str, bytes]


async def _newest(
    session: Session, vault: Vault, scope: TenantScope, flow_id: Id, last: int
) -> list[_Stored]:
    rows = await session.fetch(_NEWEST, scope.tenant_id, flow_id, last)
    found = []
    for row in rows:
        key = await vault.of(scope.tenant_id, row["period"], session)
        found.append((row["id"], row["label"], key.open(f"event|{row['id']}", row["sealed"])))
    return found


def _try_all(stored: Sequence[_Stored], present: Overrides, new: Overrides) -> tuple[Sample, ...]:
    return tuple(_try(each, present, new) for each in stored)


def _try(stored: _Stored, present: Overrides, new: Overrides) -> Sample:
    event_id, label, raw = stored
    try:
        event = decode(raw)
    except msgspec.ValidationError:
        fault = Fault("mapping.fault", "", "This event was stored under an older contract.")
        return Sample(event_id, label, "fails", None, None, fault)
    before, after = apply_overrides(event, present), apply_overrides(event, new)
    was = encode(before) if isinstance(before, Event) else None
    if isinstance(after, Fault):
        return Sample(event_id, label, "fails", was, None, after)
    becomes = encode(after)
    if was is None:
        return Sample(event_id, label, "mended", encode(event), becomes, None)
    return Sample(event_id, label, "same" if was == becomes else "changed", was, becomes, None)
