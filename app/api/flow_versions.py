"""Versions of a flow's mapping: list, read, compare, publish, go back, and try before publishing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.api.body import body_as, takes
from app.api.caller import FlowManager, FlowReader
from app.api.decisions import CLEAN
from app.api.exception_shapes import ChangeShape, changes_of
from app.api.paging import LIMIT_USUAL, Limit
from app.api.shapes import Answer, Request, known_id
from app.exceptions.difference import differences
from app.flows.preview import (
    MOST_SAMPLES,
    USUAL_SAMPLES,
    Preview,
    PreviewParts,
    Sample,
    preview_overrides,
)
from app.flows.versions import (
    FlowVersion,
    NewVersion,
    list_versions,
    publish_version,
    published_content,
    read_flow,
    read_version,
    roll_back,
)
from infra.database.unit import begin
from tenants.roles import Permission

# Comparing hundreds of large orders would make an answer that nobody reads.
MOST_CHANGES_SHOWN = 20

routes = APIRouter(prefix="/v1/flows", tags=["flows"])

Rules = Annotated[list[dict[str, Any]], Field(max_length=100)]


class VersionShape(Answer):
    """One published version."""

    version: int
    settings: dict[str, Any]
    overrides: list[dict[str, Any]]
    note: str
    published_by: str
    published_at: datetime


class VersionList(Answer):
    """The newest versions, newest first."""

    items: list[VersionShape]


class ComparedShape(Answer):
    """One version, and what is different in it from another one."""

    version: VersionShape
    against: int
    changes: list[ChangeShape]


class PublishRequest(Request):
    """A new version: new `overrides`, or the content of an earlier version."""

    overrides: Rules | None = Field(default=None, description="All rules, in their order.")
    settings: dict[str, Any] | None = Field(
        default=None, description="Settings of the flow; left out, they stay as they are."
    )
    from_version: int | None = Field(
        default=None, ge=1, description="Publish what this earlier version was, to go back to it."
    )
    based_on: int | None = Field(
        default=None,
        ge=1,
        description="The version that you have seen; refused when another one came meanwhile.",
    )
    note: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=CLEAN),
    ] = Field(description="What is changed and why; stands beside the version.")

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        is_new = self.overrides is not None or self.settings is not None
        if is_new == (self.from_version is not None):
            raise PydanticCustomError(
                "flow.one_content", "Give `overrides` or `settings`, or else `from_version`."
            )
        if self.settings is not None and _has_fraction(self.settings):
            raise PydanticCustomError(
                "flow.settings_fraction", "Write a number with a fraction as text."
            )
        return self


class PreviewRequest(Request):
    """Rules to be tried on stored events."""

    overrides: Rules
    last: int = Field(default=USUAL_SAMPLES, ge=1, le=MOST_SAMPLES)


class SampleShape(Answer):
    """One stored event under the new rules."""

    event_id: str
    label: str
    effect: Literal["changed", "fails", "mended"]
    code: str = Field(description="Why it fails.")
    pointer: str
    words: str
    changes: list[ChangeShape] = Field(
        description="At most 20 places; the values only with payloads.read."
    )


class PreviewShape(Answer):
    """What the rules would do to the newest events of the flow; nothing was sent or published."""

    based_on: int = Field(description="The version that runs now.")
    tried: int
    same: int
    changed: int
    mended: int = Field(description="Those that fail now and would not any more.")
    fails: int
    samples: list[SampleShape] = Field(description="All that are not the same, newest first.")


@routes.get("/{flow_id}/versions", summary="List versions")
async def get_versions(caller: FlowReader, flow_id: str, limit: Limit = LIMIT_USUAL) -> VersionList:
    """Give the newest versions of a flow's mapping."""
    async with begin(caller.scope, caller.parts.database) as session:
        versions = await list_versions(session, known_id(flow_id), limit)
    return VersionList(items=[_version(each) for each in versions])


@routes.get("/{flow_id}/versions/compare", summary="Compare versions")
async def compare_versions(
    caller: FlowReader,
    flow_id: str,
    version: Annotated[int | None, Query(ge=1, description="What runs now when left out.")] = None,
    against: Annotated[int | None, Query(ge=1, description="The one before when left out.")] = None,
) -> ComparedShape:
    """Give one version and what is different in it from another one."""
    known = known_id(flow_id)
    async with begin(caller.scope, caller.parts.database) as session:
        chosen = version or (await read_flow(session, known)).version
        this = await read_version(session, known, chosen)
        that = await read_version(session, known, against or max(1, chosen - 1))
    changes = differences(published_content(that), published_content(this))
    return ComparedShape(version=_version(this), against=that.version, changes=changes_of(changes))


@routes.post(
    "/{flow_id}/versions", summary="Publish a version", openapi_extra=takes(PublishRequest)
)
async def publish(
    caller: FlowManager,
    flow_id: str,
    request: Annotated[PublishRequest, Depends(body_as(PublishRequest))],
) -> VersionShape:
    """Make new rules what runs; what is sent from now on is sent by them."""
    known = known_id(flow_id)
    async with begin(caller.scope, caller.parts.database) as session:
        if request.from_version is not None:
            published = await roll_back(session, known, request.from_version, request.note)
        else:
            wanted = NewVersion(
                known, request.note, request.settings, request.overrides, request.based_on
            )
            published = await publish_version(session, wanted)
    return _version(published)


@routes.post(
    "/{flow_id}/versions/preview", summary="Try rules", openapi_extra=takes(PreviewRequest)
)
async def preview(
    caller: FlowManager,
    flow_id: str,
    request: Annotated[PreviewRequest, Depends(body_as(PreviewRequest))],
) -> PreviewShape:
    """Try rules on the newest stored events: what would change, and how many would fail."""
    parts = PreviewParts(caller.parts.database, caller.parts.vault)
    tried = await preview_overrides(
        caller.scope, parts, known_id(flow_id), request.overrides, request.last
    )
    with_values = caller.may(Permission.PAYLOADS_READ)
    shown = await asyncio.to_thread(_samples, tried.samples, with_values=with_values)
    return _preview(tried, shown)


def _has_fraction(value: Any) -> bool:
    """Say whether there is a number that JSON of the book would not keep exactly."""
    if isinstance(value, dict):
        return any(map(_has_fraction, value.values()))
    if isinstance(value, list):
        return any(map(_has_fraction, value))
    return isinstance(value, Decimal)


def _preview(tried: Preview, shown: list[SampleShape]) -> PreviewShape:
    return PreviewShape(
        based_on=tried.based_on,
        tried=len(tried.samples),
        same=tried.count("same"),
        changed=tried.count("changed"),
        mended=tried.count("mended"),
        fails=tried.count("fails"),
        samples=shown,
    )


def _samples(samples: Sequence[Sample], *, with_values: bool) -> list[SampleShape]:
    return [
        SampleShape(
            event_id=str(each.event_id),
            label=each.label,
            effect=each.effect,
            code=each.fault.code if each.fault else "",
            pointer=each.fault.pointer if each.fault else "",
            words=each.fault.words if each.fault else "",
            changes=_changes(each, with_values=with_values),
        )
        for each in samples
        if each.effect != "same"
    ]


def _changes(sample: Sample, *, with_values: bool) -> list[ChangeShape]:
    if sample.was is None or sample.becomes is None:
        return []
    shown = changes_of(differences(sample.was, sample.becomes)[:MOST_CHANGES_SHOWN])
    if with_values:
        return shown
    # Whoever may not read a payload sees where it would change, and not to what.
    return [ChangeShape(pointer=each.pointer, before=None, after=None) for each in shown]


def _version(version: FlowVersion) -> VersionShape:
    return VersionShape(
        version=version.version,
        settings=version.settings,
        overrides=list(version.overrides),
        note=version.note,
        published_by=version.published_by,
        published_at=version.published_at,
    )
