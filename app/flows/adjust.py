"""What is changed of an event on its way to a target: overrides by hand, and the flow's mapping.

Costs two look-ups in process memory when there is nothing to change.
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from app.connections.freshness import FreshMemory
from app.flows.manual import ManualOverride, read_active, rules_of
from app.flows.overrides import NO_OVERRIDES, Fault, Overrides, apply_overrides, compile_overrides
from app.flows.routes import Route
from connectors.canonical.event import Event
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import Unprocessable
from infra.ids import Id

MOST_COMPILED = 2_000
# A published version never changes.
VERSION_FRESH_S = 300.0


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The event as it is to be sent, by which route (its settings and version)."""

    event: Event
    route: Route


@dataclass(frozen=True, slots=True)
class Skipped:
    """A person decided that this is not sent, with the reason that was given."""

    words: str


@dataclass(frozen=True, slots=True)
class KeptBack:
    """A person keeps this back until a moment (UTC)."""

    until: datetime
    words: str


@dataclass(frozen=True, slots=True)
class VersionGone:
    """The version of the flow that a delivery is pinned to is not there."""

    version: int


class TargetNaming(Protocol):
    """Says what a target calls the articles, places and customers of an event."""

    async def named(self, tenant_id: Id, connection_id: Id, event: Event) -> Event | Fault:
        """Give the event in the target's names, or why that cannot be."""


Adjustment = Adjusted | Skipped | KeptBack | VersionGone | Fault

_ByObject = dict[tuple[Id, str], tuple[ManualOverride, ...]]
_VersionKey = tuple[Id, Id, int]
_Version = tuple[dict[str, object], tuple[dict[str, object], ...]]


class Adjuster:
    """Adjusts events of all retailers; what it knows of overrides by hand is at most two seconds old."""

    def __init__(self, database: Database, naming: TargetNaming | None = None) -> None:
        self._database = database
        self._naming = naming
        self._manual: FreshMemory[Id, _ByObject] = FreshMemory(self._read_manual)
        self._versions: FreshMemory[_VersionKey, _Version | None] = FreshMemory(
            self._read_version, fresh_s=VERSION_FRESH_S
        )
        self._compiled: OrderedDict[tuple[Id, int], Overrides] = OrderedDict()
        self._used: defaultdict[Id, Counter[Id]] = defaultdict(Counter)
        self._counting: set[Id] = set()

    async def adjust(
        self, tenant_id: Id, event: Event, route: Route, pinned_version: int | None = None
    ) -> Adjustment:
        """Say what is to be sent; the event itself is not touched.

        Precedence: skip, keep back, the target's own names, the flow's overrides (of the pinned version,
        if one is), and at last the values that persons have set.
        """
        by_hand = self._of(await self._manual.get(tenant_id), route, event)
        for manual in by_hand:
            if manual.kind == "skip":
                await self._count(tenant_id, [manual])
                return Skipped(f"{_told(manual)} It is not sent.")
        paused = max(
            (each for each in by_hand if each.kind == "pause"),
            key=lambda each: each.expires_at,
            default=None,
        )
        if paused is not None:
            await self._count(tenant_id, [paused])
            return KeptBack(paused.expires_at, f"{_told(paused)} It is kept back until then.")
        pinned = await self._pinned(tenant_id, route, pinned_version)
        if pinned is None:
            return VersionGone(pinned_version or 0)
        named = await self._named(tenant_id, event, route)
        changed = named if isinstance(named, Fault) else self._changed(named, pinned, by_hand)
        if isinstance(changed, Adjusted):
            await self._count(tenant_id, by_hand)
        return changed

    async def as_sent(
        self, tenant_id: Id, event: Event, route: Route, pinned_version: int | None = None
    ) -> Adjusted | None:
        """Give an event as its mapping makes it now, to ask about it; counts as no use.

        None when the mapping cannot be applied.
        """
        pinned = await self._pinned(tenant_id, route, pinned_version)
        if pinned is None:
            return None
        by_hand = self._of(await self._manual.get(tenant_id), route, event)
        values = [each for each in by_hand if each.kind == "set"]
        named = await self._named(tenant_id, event, route)
        changed = named if isinstance(named, Fault) else self._changed(named, pinned, values)
        return changed if isinstance(changed, Adjusted) else None

    def forget(self, tenant_id: Id) -> None:
        """Drop the overrides by hand of one retailer after a change made by this process."""
        self._manual.forget(tenant_id)

    async def _named(self, tenant_id: Id, event: Event, route: Route) -> Event | Fault:
        if self._naming is None:
            return event
        return await self._naming.named(tenant_id, route.target_connection_id, event)

    def _changed(
        self, event: Event, route: Route, by_hand: list[ManualOverride]
    ) -> Adjusted | Fault:
        if not route.overrides and not by_hand:
            return Adjusted(event, route)
        try:
            changed = apply_overrides(event, self._rules(route))
            for manual in by_hand:
                if isinstance(changed, Event):
                    changed = apply_overrides(changed, rules_of(manual, tuple(route.event_types)))
        except Unprocessable as unfit:
            # Written for an earlier contract: what it means now is a person's question.
            return Fault(
                "mapping.fault", "", f"The mapping of this flow does not fit. {unfit.detail}"
            )
        return changed if isinstance(changed, Fault) else Adjusted(changed, route)

    def _rules(self, route: Route) -> Overrides:
        if not route.overrides:
            return NO_OVERRIDES
        key = (route.flow_id, route.version)
        known = self._compiled.get(key)
        if known is None:
            known = compile_overrides(route.overrides, tuple(route.event_types))
            self._compiled[key] = known
            if len(self._compiled) > MOST_COMPILED:
                self._compiled.popitem(last=False)
        return known

    def _of(self, book: _ByObject, route: Route, event: Event) -> list[ManualOverride]:
        if not book:
            return []
        named = book.get((route.flow_id, event.object_id), ())
        for_all = book.get((route.flow_id, ""), ())
        return [each for each in (*for_all, *named) if each.is_active]

    async def _pinned(self, tenant_id: Id, route: Route, version: int | None) -> Route | None:
        if version is None or version == route.version:
            return route
        found = await self._versions.get((tenant_id, route.flow_id, version))
        if found is None:
            return None
        settings, overrides = found
        return replace(route, settings=settings, overrides=overrides, version=version)

    async def _count(self, tenant_id: Id, used: list[ManualOverride]) -> None:
        """Count uses; hundreds of sendings may use one override at a time.

        Whoever finds nobody writing writes for all; the others go on.
        """
        if not used:
            return
        waiting = self._used[tenant_id]
        waiting.update(each.id for each in used)
        if tenant_id in self._counting:
            return
        self._counting.add(tenant_id)
        try:
            while waiting:
                counted = dict(waiting)
                waiting.clear()
                await self._write_used(tenant_id, counted)
        finally:
            self._counting.discard(tenant_id)
            if not waiting:
                self._used.pop(tenant_id, None)

    async def _write_used(self, tenant_id: Id, counted: dict[Id, int]) -> None:
        async with begin(TenantScope(tenant_id, "engine"), self._database) as session:
            await session.execute(
                "update manual_override set used = used + more.count"
                " from unnest($2::uuid[], $3::int[]) as more (id, count)"
                " where tenant_id = $1 and manual_override.id = more.id",
                tenant_id,
                list(counted),
                list(counted.values()),
            )

    async def _read_manual(self, tenant_id: Id) -> _ByObject:
        found: defaultdict[tuple[Id, str], list[ManualOverride]] = defaultdict(list)
        async with begin(TenantScope(tenant_id, "engine"), self._database) as session:
            for manual in await read_active(session):
                found[manual.flow_id, manual.object_id].append(manual)
        return {key: tuple(all_of) for key, all_of in found.items()}

    async def _read_version(self, key: _VersionKey) -> _Version | None:
        tenant_id, flow_id, version = key
        async with begin(TenantScope(tenant_id, "engine"), self._database) as session:
            row = await session.fetch_one(
                "select settings, overrides from flow_version"
                " where tenant_id = $1 and flow_id = $2 and version = $3",
                tenant_id,
                flow_id,
                version,
            )
        if row is None:
            return None
        return json.loads(row["settings"]), tuple(json.loads(row["overrides"]))


def _told(manual: ManualOverride) -> str:
    until = f"{manual.expires_at:%Y-%m-%d %H:%M} UTC"
    return f"{manual.created_by} made an override until {until}: {manual.reason}"
