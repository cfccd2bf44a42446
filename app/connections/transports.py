"""Transports for a whole process: one way out, one gate, and one pace for each credential and bucket."""

from __future__ import annotations

from collections import OrderedDict

from app.connections.budget import BudgetKey
from app.connections.credential import SETTING, allowance_of, bucket_of, budget_key
from app.connections.directory import BookedConnection
from app.connections.lessor import Lessor
from app.connections.pace import Pace
from app.connections.transport import ConnectionTransport
from app.connections.vendor_versions import VendorVersions
from app.connections.watch import ConnectionWatch
from infra.database.pool import Database
from infra.egress.client import EgressClient

MAX_PACES = 10_000


class Transports:
    """Makes transports; `watch` says right before each call whether its connection rests."""

    def __init__(self, egress: EgressClient, database: Database, watch: ConnectionWatch) -> None:
        self._egress = egress
        self._watch = watch
        self._versions = VendorVersions(database)
        self._lessor = Lessor(database)
        self._paces: OrderedDict[BudgetKey, Pace] = OrderedDict()

    def of(self, booked: BookedConnection, trace_parent: str = "") -> ConnectionTransport:
        """Give the transport of one connection; `trace_parent` is the W3C context to hand on."""
        return ConnectionTransport(
            booked, self._egress, self.pace, self._watch, self._versions, trace_parent
        )

    def pace(self, booked: BookedConnection, named: str = "") -> Pace:
        """Give the pace of a bucket, the same for all connections with this credential."""
        key = budget_key(booked, bucket_of(booked, named))
        pace = self._paces.get(key)
        if pace is None:
            pace = Pace(self._lessor, key, booked.config, allowance_of(booked, key.bucket))
            self._paces[key] = pace
        self._paces.move_to_end(key)
        if len(self._paces) > MAX_PACES:
            self._drop_idle()
        if pace.config is not booked.config and _speaks_for(booked, pace):
            pace.config, pace.allowance = booked.config, allowance_of(booked, key.bucket)
        return pace

    async def run(self) -> None:
        """Share the budgets with all workers until cancelled; without it nothing is sent."""
        await self._lessor.run()

    async def close(self) -> None:
        """Give back what was granted and not spent; what a crash leaves comes back with time."""
        for pace in self._paces.values():
            pace.leave()
        await self._lessor.flush()

    def _drop_idle(self) -> None:
        # A pace in use must not be forgotten: its calls at one time would be allowed twice.
        for key in list(self._paces)[:-MAX_PACES]:
            if self._paces[key].is_idle:
                del self._paces[key]


def _speaks_for(booked: BookedConnection, pace: Pace) -> bool:
    """Say whose declaration counts where connections share a credential: the one with a plan entered."""
    if SETTING in pace.config.settings and booked.config.id != pace.config.id:
        return False
    return booked.config.id == pace.config.id or SETTING in booked.config.settings
