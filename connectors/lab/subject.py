"""One connector on the bench: its folder, manifest, code, fixtures and emulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from connectors import registry
from connectors.lab.cases import Case, read_cases, read_send_settings
from connectors.sdk.connector import Connector
from connectors.sdk.manifest import Manifest
from connectors.sdk.message import JsonObject
from connectors.sdk.transport import Answer, Call

_CATALOG = Path(registry.__file__).parent / "catalog"


class Rehearsal(Protocol):
    """What an emulator offers to the lab by a function `rehearse()`: a fresh target, no network."""

    async def request(self, call: Call) -> Answer:
        """Answer one call as the system would; raises AnswerLost when told to."""
        ...

    def lose_answers(self, *, lost: bool) -> None:
        """Act from now on without an answer, or answer again."""
        ...

    def effects(self) -> int:
        """Count what was really done."""
        ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What the checks look at; `send_settings` are by action, "*" for all."""

    manifest: Manifest
    connector: Connector
    folder: Path
    cases: tuple[Case, ...] = ()
    send_settings: dict[str, JsonObject] = field(default_factory=dict)
    rehearse: Callable[[], Rehearsal] | None = None


def subject_of(name: str) -> Subject:
    """Put a connector of the catalogue on the bench; raises KeyError for an unknown name."""
    registry.manifest(name)  # knows the names; an import would take any
    connector = registry.load(name)
    folder = _CATALOG / name
    return Subject(
        manifest=connector.manifest,
        connector=connector,
        folder=folder,
        cases=read_cases(folder / "fixtures", connector),
        send_settings=read_send_settings(folder / "fixtures"),
        rehearse=_rehearse(name),
    )


def _rehearse(name: str) -> Callable[[], Rehearsal] | None:
    module = f"connectors.catalog.{name}.emulator"
    if find_spec(module) is None:
        return None
    found: Callable[[], Rehearsal] | None = getattr(import_module(module), "rehearse", None)
    return found
