"""What incidents look like in answers, and what is sent about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from app.api.decisions import Reason
from app.api.shapes import Answer, Moment, MoneyShape, Request, id_or_none, money_of
from app.exceptions.hold import HoldState
from app.exceptions.incidents.groups import IncidentGroup
from app.exceptions.incidents.incident import Incident, MomentKind, State
from app.exceptions.incidents.read import (
    IncidentView,
    Sample,
)
from app.exceptions.incidents.records import HeldRecord


class IncidentCauseShape(Answer):
    """The change that came just before, or words that say that there was none."""

    kind: str = Field(description="Kind of the change; `none` when no change explains it.")
    words: str
    at: datetime | None = None
    actor: str | None = None
    change_id: str | None = None
    flow_id: str | None = None
    version: int | str | None = Field(default=None, description="The version that was made.")


class IncidentShape(Answer):
    """One incident."""

    id: str
    title: str = Field(description="What is wrong, in one plain sentence.")
    words: str = Field(description="What it costs: records, money, shops, the first deadline.")
    state: State
    severity: int = Field(description="0 to 3; 3 is the gravest.", ge=0, le=3)
    error_class: str
    code: str = Field(description="Empty when the whole connection is the cause.")
    pointer: str = Field(description="The field at fault, without positions.")
    fingerprint: str = Field(description="The cause as a digest, the same at every retailer.")
    connector: str
    connection_id: str
    held: int = Field(description="Records that wait for a person.")
    waiting: int = Field(description="Records that wait for the other system.")
    peak: int = Field(description="The most there were this time.")
    at_risk: list[MoneyShape] = Field(
        description="Money in the orders, sales and refunds concerned; each counts once."
    )
    shops: list[str]
    flow_ids: list[str]
    deadline_at: datetime | None
    deadline_words: str
    cause: IncidentCauseShape | None
    runbook: str
    owner: str
    due_at: datetime | None
    snoozed_until: datetime | None
    first_seen_at: datetime
    since_at: datetime = Field(description="When it began this time.")
    last_seen_at: datetime
    resolved_at: datetime | None
    resolved_by: str
    resolution: str
    updated_at: datetime | None


class IncidentPage(Answer):
    """Incidents, money at risk times urgency, the most pressing first."""

    items: list[IncidentShape]
    next_cursor: str | None = Field(description="Brings the next page; null on the last one.")


class IncidentSampleShape(Answer):
    """One of the records concerned."""

    label: str
    words: str
    code: str
    exception_id: str | None
    delivery_id: str | None
    at_stake: MoneyShape | None


class IncidentMomentShape(Answer):
    """One line of the history."""

    id: str
    at: datetime
    kind: MomentKind
    actor: str
    words: str


class IncidentDetail(Answer):
    """One incident with what its page shows."""

    incident: IncidentShape
    system: str = Field(description="What people call the system concerned.")
    next_step: str = Field(description="What to do first.")
    flows: list[str]
    channels: list[str] = Field(description="Where the records come from.")
    samples: list[IncidentSampleShape] = Field(description="At most five of the records.")
    moments: list[IncidentMomentShape] = Field(description="The history, newest first.")


class IncidentRecordShape(Answer):
    """One held record of an incident."""

    exception_id: str
    message_id: str
    delivery_id: str | None
    label: str
    words: str
    code: str
    at_stake: MoneyShape | None
    state: HoldState
    owner: str
    due_at: datetime | None
    deadline_at: datetime | None
    created_at: datetime


class IncidentRecordPage(Answer):
    """Held records of an incident, newest first."""

    items: list[IncidentRecordShape]
    next_cursor: str | None = Field(description="Brings the next page; null on the last one.")


class IncidentMemberShape(Answer):
    """One retailer's part of a group."""

    tenant_id: str
    name: str
    incident_id: str
    state: State
    severity: int
    records: int
    at_risk: list[MoneyShape]


class IncidentGroupShape(Answer):
    """One cause at all retailers that the key reaches."""

    fingerprint: str
    connector: str
    error_class: str
    code: str
    pointer: str
    severity: int
    retailer_count: int
    held: int
    waiting: int
    at_risk: list[MoneyShape]
    oldest_at: datetime
    deadline_at: datetime | None
    owners: list[str]
    unowned: int = Field(description="How many retailers' incidents have no owner.")
    retailers: list[IncidentMemberShape] = Field(description="The most pressing ones, at most 50.")


class IncidentGroupList(Answer):
    """Causes, the most pressing first."""

    items: list[IncidentGroupShape]


Words = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=2000,
        pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$",
    ),
]
Owner = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"),
]


class AssignIncidentRequest(Request):
    """Who takes it."""

    owner: Owner | None = Field(
        default=None, description="Left out: the caller takes it. Empty: nobody has it any more."
    )
    due_at: Moment | None = None


class CommentIncidentRequest(Request):
    """A remark."""

    words: Words


class SnoozeIncidentRequest(Request):
    """Until when it is left in peace; null wakes it."""

    until: Moment | None


class ResolveIncidentRequest(Request):
    """Why it is over."""

    words: Reason


class IncidentCommentShape(Answer):
    """The remark that was made."""

    id: str


def incident_shape(incident: Incident) -> IncidentShape:
    """Say an incident as it is answered."""
    same: dict[str, Any] = {
        name: getattr(incident, name)
        for name in (
            *("title", "words", "state", "severity", "error_class", "code", "pointer", "connector"),
            *("held", "waiting", "peak", "deadline_at", "deadline_words", "runbook", "owner"),
            *("due_at", "snoozed_until", "first_seen_at", "since_at", "last_seen_at"),
            *("resolved_at", "resolved_by", "resolution", "updated_at"),
        )
    }
    return IncidentShape(
        **same,
        id=str(incident.id),
        fingerprint=incident.fingerprint.hex(),
        connection_id=str(incident.connection_id),
        at_risk=_money(incident.at_risk),
        shops=list(incident.shops),
        flow_ids=[str(each) for each in incident.flows],
        cause=IncidentCauseShape(**incident.cause) if incident.cause else None,
    )


def detail_shape(view: IncidentView) -> IncidentDetail:
    """Say an incident with all that its page shows."""
    return IncidentDetail(
        incident=incident_shape(view.incident),
        system=view.system,
        next_step=view.next_step,
        flows=list(view.flows),
        channels=list(view.channels),
        samples=[_sample(each) for each in view.samples],
        moments=[
            IncidentMomentShape(
                id=str(each.id), at=each.at, kind=each.kind, actor=each.actor, words=each.words
            )
            for each in view.moments
        ],
    )


def _sample(sample: Sample) -> IncidentSampleShape:
    return IncidentSampleShape(
        label=sample.label,
        words=sample.words,
        code=sample.code,
        exception_id=id_or_none(sample.hold_id),
        delivery_id=id_or_none(sample.delivery_id),
        at_stake=money_of(sample.amount, sample.currency),
    )


def record_shape(held: HeldRecord) -> IncidentRecordShape:
    """Say a held record as it is answered."""
    same: dict[str, Any] = {
        name: getattr(held, name)
        for name in (
            *("label", "words", "code", "state", "owner", "due_at", "deadline_at", "created_at"),
        )
    }
    return IncidentRecordShape(
        **same,
        exception_id=str(held.id),
        message_id=str(held.message_id),
        delivery_id=id_or_none(held.delivery_id),
        at_stake=money_of(held.amount, held.currency),
    )


def group_shape(group: IncidentGroup) -> IncidentGroupShape:
    """Say a cause at many retailers as it is answered."""
    same: dict[str, Any] = {
        name: getattr(group, name)
        for name in (
            *("connector", "error_class", "code", "pointer", "severity", "held", "waiting"),
            *("oldest_at", "deadline_at", "unowned"),
        )
    }
    return IncidentGroupShape(
        **same,
        fingerprint=group.fingerprint.hex(),
        retailer_count=group.retailers,
        at_risk=_money(group.at_risk),
        owners=list(group.owners),
        retailers=[
            IncidentMemberShape(
                tenant_id=str(each.tenant_id),
                name=each.name,
                incident_id=str(each.incident_id),
                state=each.state,
                severity=each.severity,
                records=each.records,
                at_risk=_money(each.at_risk),
            )
            for each in group.members
        ],
    )


def _money(amounts: Mapping[str, Decimal]) -> list[MoneyShape]:
    said = [money_of(amount, currency) for currency, amount in sorted(amounts.items())]
    return [each for each in said if each is not None]
