"""What previewing and running a replay work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.deliveries.send import Sender
from app.flows.routes import RouteBook
from infra.database.pool import Database
from infra.keys.vault import Vault


@dataclass(frozen=True, slots=True)
class ReplayParts:
    """The shared parts of the process; `ring` wakes whoever prepares and delivers, after a commit."""

    database: Database
    vault: Vault
    routes: RouteBook
    sender: Sender
    ring: Callable[[], None]
