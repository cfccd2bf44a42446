"""What the portal works with, and its assets as the build named them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.connections.directory import ConnectionBook
from infra.database.pool import Database
from infra.keys.vault import Vault

DIST = Path(__file__).parent / "static" / "dist"


@dataclass(frozen=True, slots=True)
class PortalParts:
    """The shared parts of the process; `ring` wakes the workers after a commit.

    `assets` gives the hashed name of a stylesheet, script, sprite or font by its plain one.
    """

    database: Database
    vault: Vault
    connections: ConnectionBook
    ring: Callable[[], None]
    assets: Mapping[str, str]


def read_assets() -> dict[str, str]:
    """Read the names that the build gave; empty when it has not run: pages then come unstyled."""
    try:
        found: dict[str, str] = json.loads((DIST / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found
