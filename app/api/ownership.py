"""Who owns what: the matrix, what a change of it would do, and what is frozen."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field, StringConstraints

from app.api.body import body_as, takes
from app.api.caller import FlowManager, FlowReader
from app.api.decisions import CLEAN, Reason
from app.api.shapes import Answer, Moment, Request
from app.ownership.freeze import list_frozen, thaw
from app.ownership.groups import Group, OnForeign
from app.ownership.listing import set_rules, usual_owners
from app.ownership.matrix import Wanted
from app.ownership.preview import preview_rules
from app.ownership.set_rule import PLACE_MAX, set_rule
from infra import clock
from infra.database.unit import begin

routes = APIRouter(tags=["ownership"])

Place = Annotated[str, StringConstraints(max_length=PLACE_MAX, pattern=CLEAN)]


class RuleShape(Answer):
    """One rule: who owns a group of attributes at a place from a moment on."""

    id: str
    group: str
    place: str = Field(description="A location or channel; empty for everywhere else.")
    owner_id: str | None = Field(description="Id of the connection; null when nobody owns it.")
    may_write: list[str] = Field(description="Ids of further connections that may write it.")
    on_foreign: OnForeign = Field(
        description="What becomes of a write of somebody else: it counts, waits for a person, is left"
        " aside, or is left aside and the owner's value goes back."
    )
    effective_from: datetime
    reason: str
    set_by: str
    set_at: datetime
    counts: bool = Field(description="It is the one of its place today.")


class GroupShape(Answer):
    """One group of attributes, who usually owns it, and the rules that were set."""

    group: str
    words: str
    event_types: list[str]
    usual_owner_id: str | None = Field(
        description="The one connection of the usual kind; null when there is none or several."
    )
    usual_on_foreign: OnForeign
    rules: list[RuleShape]


class MatrixShape(Answer):
    """All groups. Of a group without a rule nothing is refused."""

    items: list[GroupShape]


class OwnershipRuleRequest(Request):
    """A new rule; it ends none, it is newer."""

    group: Group
    owner_id: UUID | None = Field(description="Null: nobody owns it, and everybody may write.")
    reason: Reason
    place: Place = ""
    may_write: list[UUID] = Field(default_factory=list, max_length=50)
    on_foreign: OnForeign = "hold"
    effective_from: Moment | None = Field(default=None, description="Now, if it is left out.")


class SetAnswer(Answer):
    """The rule that was set."""

    id: str


class OffendingShape(Answer):
    """A flow whose source writes what it does not own."""

    flow_id: str
    flow: str
    source: str
    group: str
    place: str
    on_foreign: OnForeign
    subjects: int = Field(description="Of how many objects its source stated something so far.")


class PreviewShape(Answer):
    """What would be refused, held or put back."""

    words: str
    offending: list[OffendingShape]


class FrozenShape(Answer):
    """One attribute that went to and fro, and is not sent on."""

    attribute: str
    object: str
    place: str
    connection_id: str = Field(description="Whose word counted last.")
    stated_at: datetime
    frozen_at: datetime


class FrozenPage(Answer):
    """What is frozen, oldest first."""

    items: list[FrozenShape]


class ThawRequest(Request):
    """Let an attribute be told again."""

    attribute: Annotated[str, StringConstraints(max_length=200, pattern=CLEAN)]
    object: Annotated[str, StringConstraints(max_length=500, pattern=CLEAN)]
    place: Place = ""
    reason: Reason


class ThawAnswer(Answer):
    """What was thawed."""

    attribute: str
    object: str
    place: str


@routes.get("/v1/ownership", summary="Show who owns what")
async def show_ownership(caller: FlowReader) -> MatrixShape:
    """Give every group of attributes with its rules."""
    async with begin(caller.scope, caller.parts.database) as session:
        usual, rules = await usual_owners(session), await set_rules(session)
    return MatrixShape(
        items=[
            GroupShape(
                group=group,
                words=each.rule.words,
                event_types=sorted(each.rule.types),
                usual_owner_id=_text(each.owner_id),
                usual_on_foreign=each.rule.on_foreign,
                rules=[_rule(rule) for rule in rules if rule.group == group],
            )
            for group, each in usual.items()
        ]
    )


@routes.post("/v1/ownership", summary="Set a rule", openapi_extra=takes(OwnershipRuleRequest))
async def set_ownership(
    caller: FlowManager,
    request: Annotated[OwnershipRuleRequest, Depends(body_as(OwnershipRuleRequest))],
) -> SetAnswer:
    """Decide who owns a group at a place; it counts within two seconds."""
    async with begin(caller.scope, caller.parts.database) as session:
        return SetAnswer(id=str(await set_rule(session, _wanted(request))))


@routes.post(
    "/v1/ownership/preview",
    summary="See what a rule would do",
    openapi_extra=takes(OwnershipRuleRequest),
)
async def preview_ownership(
    caller: FlowManager,
    request: Annotated[OwnershipRuleRequest, Depends(body_as(OwnershipRuleRequest))],
) -> PreviewShape:
    """Say which flows would write what they do not own; nothing is written."""
    async with begin(caller.scope, caller.parts.database) as session:
        preview = await preview_rules(session, [_wanted(request)])
    return PreviewShape(
        words=preview.words,
        offending=[
            OffendingShape(
                flow_id=str(each.flow_id),
                **{name: getattr(each, name) for name in _OFFENDING},
            )
            for each in preview.offending
        ],
    )


@routes.get("/v1/ownership/frozen", summary="List what is frozen")
async def show_frozen(caller: FlowReader) -> FrozenPage:
    """Give what two systems kept overwriting."""
    async with begin(caller.scope, caller.parts.database) as session:
        frozen = await list_frozen(session)
    return FrozenPage(
        items=[
            FrozenShape(
                attribute=each.attribute,
                object=each.object_id,
                place=each.place,
                connection_id=str(each.connection_id),
                stated_at=each.stated_at,
                frozen_at=each.frozen_at,
            )
            for each in frozen
        ]
    )


@routes.post("/v1/ownership/thaw", summary="Thaw what is frozen", openapi_extra=takes(ThawRequest))
async def thaw_ownership(
    caller: FlowManager, request: Annotated[ThawRequest, Depends(body_as(ThawRequest))]
) -> ThawAnswer:
    """Let it be told again; what was held meanwhile stays held for a person."""
    async with begin(caller.scope, caller.parts.database) as session:
        await thaw(session, request.attribute, request.object, request.place, request.reason)
    return ThawAnswer(attribute=request.attribute, object=request.object, place=request.place)


_OFFENDING = ("flow", "source", "group", "place", "on_foreign", "subjects")


def _wanted(request: OwnershipRuleRequest) -> Wanted:
    return Wanted(
        request.group,
        request.owner_id,
        request.reason,
        request.effective_from or clock.now(),
        request.place,
        frozenset(request.may_write),
        request.on_foreign,
    )


def _rule(rule: Any) -> RuleShape:
    same = {name: getattr(rule, name) for name in _RULE}
    return RuleShape(
        **same,
        id=str(rule.id),
        owner_id=_text(rule.owner_id),
        may_write=[str(each) for each in rule.may_write],
    )


_RULE = (
    *("group", "place", "on_foreign", "effective_from", "reason", "set_by", "set_at"),
    "counts",
)


def _text(found: UUID | None) -> str | None:
    return str(found) if found else None
