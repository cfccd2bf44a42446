"""Blueprints: the ready-made flows of the catalogue, one file each, checked when they are read."""

from __future__ import annotations

import string
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.flows.routes import Ordering
from connectors.canonical.event import BODIES
from infra.errors import Unprocessable

_FOLDER = Path(__file__).parent / "blueprints"
# What a failure text may name: how many, worth what, missing where, since when.
_FAILURE_FIELDS = frozenset({"count", "amount", "target", "age"})

Role = Literal["till", "shop", "marketplace", "erp", "wms", "finance", "crm", "core"]


def _known_event(name: str) -> str:
    if name not in BODIES:
        raise ValueError(f"{name} is no canonical event")
    return name


def _fillable(text: str) -> str:
    named = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    if not named <= _FAILURE_FIELDS:
        raise ValueError(f"a failure text may name only {', '.join(sorted(_FAILURE_FIELDS))}")
    return text


class Objectives(BaseModel):
    """Defaults of the service levels: durations in seconds, shares between 0 and 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency_p99_s: float = Field(gt=0)
    success_share_0_1: float = Field(gt=0, le=1)
    exposed_p50_s: float | None = None
    all_within_s: float | None = None
    file_p99_s: float | None = None
    file_of_14000_s: float | None = None


class Blueprint(BaseModel):
    """A flow before it is installed: which events go from which kind of system to which other.

    The first event type is what the flow is for: source and target must both know it. The others
    take part where both know them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str
    title: str
    summary: str
    event_types: tuple[Annotated[str, AfterValidator(_known_event)], ...] = Field(min_length=1)
    source_roles: tuple[Role, ...] = Field(min_length=1)
    target_roles: tuple[Role, ...] = Field(min_length=1)
    ordering: Ordering
    class_: int = Field(alias="class", ge=0, le=3)
    failure: Annotated[str, AfterValidator(_fillable)]
    slo: Objectives


@cache
def names() -> tuple[str, ...]:
    """List the blueprints in alphabetical order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def blueprint(name: str) -> Blueprint:
    """Read one blueprint; raises Unprocessable for an unknown name."""
    if name not in names():
        raise Unprocessable(
            f"There is no blueprint called {name!r}. There are: {', '.join(names())}.",
            code="flow.blueprint_unknown",
        )
    text = (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    return Blueprint.model_validate({"name": name, **tomllib.loads(text)})
