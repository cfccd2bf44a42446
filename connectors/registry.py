"""The catalogue as found on disk: one folder with a manifest is one connector."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from connectors.sdk.connector import Connector
from connectors.sdk.manifest import Manifest, load_manifest

_CATALOG = Path(__file__).parent / "catalog"


@cache
def names() -> tuple[str, ...]:
    """List the connectors found, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in _CATALOG.glob("*/manifest.toml")))


@cache
def manifest(name: str) -> Manifest:
    """Read a connector's manifest; raises KeyError for an unknown name."""
    if name not in names():
        raise KeyError(name)
    return load_manifest(_CATALOG / name / "manifest.toml")


@cache
def load(name: str) -> Connector:
    """Build a connector once per process; its module must define `CONNECTOR: type[Connector]`."""
    module = import_module(f"connectors.catalog.{name}.connector")
    built: Connector = module.CONNECTOR(manifest(name))
    return built
