"""Transports for a whole process: one way out, and one pace for each connection."""

from __future__ import annotations

from collections import OrderedDict

from app.connections.directory import BookedConnection
from app.connections.pace import Pace
from app.connections.transport import ConnectionTransport
from connectors.registry import manifest
from infra.egress.client import EgressClient
from infra.ids import Id

MAX_PACES = 10_000


class Transports:
    """Makes transports; `share_0_1` is this process's part of every vendor quota."""

    def __init__(self, egress: EgressClient, *, share_0_1: float = 1.0) -> None:
        self._egress = egress
        self._share_0_1 = share_0_1
        self._paces: OrderedDict[tuple[Id, Id], Pace] = OrderedDict()

    def of(self, booked: BookedConnection, trace_parent: str = "") -> ConnectionTransport:
        """Give the transport of one connection; `trace_parent` is the W3C context to hand on."""
        return ConnectionTransport(booked, self._egress, self.pace(booked), trace_parent)

    def pace(self, booked: BookedConnection) -> Pace:
        """Give the pace of one connection, the same for all its transports."""
        key = (booked.config.tenant_id, booked.config.id)
        pace = self._paces.get(key)
        if pace is None:
            pace = Pace(manifest(booked.config.connector).quota, share_0_1=self._share_0_1)
            self._paces[key] = pace
        self._paces.move_to_end(key)
        self._drop_idle()
        return pace

    def _drop_idle(self) -> None:
        # A pace in use must not be forgotten: its quota would be granted twice.
        for key in list(self._paces)[: max(0, len(self._paces) - MAX_PACES)]:
            if self._paces[key].state.in_flight == 0:
                del self._paces[key]
