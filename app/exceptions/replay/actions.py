"""Find what a target offers: the action of a flow in its connector's manifest."""

from __future__ import annotations

from connectors import registry
from connectors.sdk.manifest import Action


def action_of(connector: str, name: str) -> Action | None:
    """Give an action by the names of its connector and itself; None when there is none any more."""
    if connector not in registry.names():
        return None
    return registry.manifest(connector).action(name)
