"""Where alerts go: add, list, read, change, remove a channel, test it, give it a new secret."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from app.api.alert_caller import AlertManager
from app.api.body import body_as, takes
from app.api.shapes import Answer, Request, known_id
from app.health.alerts.channel import ChannelEntry, Limits
from app.health.alerts.channels import (
    Changes,
    Wanted,
    add_channel,
    change_channel,
    list_channels,
    read_channel,
    remove_channel,
)
from app.health.alerts.renew import renew_secret
from app.health.alerts.severity import NAMES, SeverityName
from app.health.alerts.trial import try_channel

_USUAL = Limits()

routes = APIRouter(prefix="/v1/alert-channels", tags=["alerts"])

Name = Annotated[str, Field(min_length=1, max_length=200)]
Address = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="An e-mail address, or an https URL of a webhook.",
    ),
]
MostPerHour = Annotated[
    int, Field(ge=1, le=1000, description="Alerts an hour; critical ones come besides.")
]
DigestEvery = Annotated[
    int, Field(ge=60, le=604_800, description="What is above comes together after so long (s).")
]


class NewChannel(Request):
    """A channel to be made."""

    kind: str = Field(description="`mail` or `webhook`.", max_length=50)
    name: Name
    address: Address
    least_severity: SeverityName = Field(
        default="notable", description="Told of this severity and graver ones."
    )
    most_per_hour: MostPerHour = _USUAL.most_per_hour
    digest_every_s: DigestEvery = _USUAL.digest_every_s


class ChannelChanges(Request):
    """What shall change; what is left out stays."""

    name: Name | None = None
    address: Address | None = None
    least_severity: SeverityName | None = None
    most_per_hour: MostPerHour | None = None
    digest_every_s: DigestEvery | None = None
    is_enabled: bool | None = None


class ChannelShape(Answer):
    """One channel."""

    id: str
    is_of_partner: bool = Field(description="Whether it hears of all retailers of a partner.")
    kind: str
    name: str
    address: str
    least_severity: SeverityName
    most_per_hour: int
    digest_every_s: int
    is_enabled: bool
    disabled_reason: str = Field(description="Why it was switched off, if not by a person.")
    created_at: datetime


class MadeChannelShape(ChannelShape):
    """A new channel with its signing secret, which is shown only now."""

    secret: str | None = Field(description="Signs what a webhook gets; null for mail.")


class ChannelList(Answer):
    """All channels of a retailer or partner, by name."""

    items: list[ChannelShape]


class SecretShape(Answer):
    """A new signing secret, shown only now; the one before it signs for 24 hours more."""

    secret: str


class QueuedShape(Answer):
    """A test message on its way; the list of alerts says how it went."""

    alert_id: str


@routes.get("", summary="List channels", name="list_alert_channels")
async def get_channels(caller: AlertManager) -> ChannelList:
    """Give all channels of a retailer, or of the partner itself."""
    found = await list_channels(caller.scope, caller.parts.database)
    return ChannelList(items=[_shape(each) for each in found])


@routes.post(
    "",
    summary="Add a channel",
    status_code=201,
    name="add_alert_channel",
    openapi_extra={**takes(NewChannel), "x-refusals": (409,)},
)
async def post_channel(
    caller: AlertManager, request: Annotated[NewChannel, Depends(body_as(NewChannel))]
) -> MadeChannelShape:
    """Make a channel; the secret of a webhook is in this answer and nowhere else."""
    limits = Limits(
        NAMES.index(request.least_severity), request.most_per_hour, request.digest_every_s
    )
    wanted = Wanted(request.kind, request.name, request.address, limits)
    made, secret = await add_channel(caller.scope, caller.channel_parts, wanted)
    shown = secret.get_secret_value() if secret else None
    return MadeChannelShape(**_shape(made).model_dump(), secret=shown)


@routes.get("/{channel_id}", summary="Read a channel", name="get_alert_channel")
async def get_channel(caller: AlertManager, channel_id: str) -> ChannelShape:
    """Give one channel."""
    return _shape(await read_channel(caller.scope, caller.parts.database, known_id(channel_id)))


@routes.patch(
    "/{channel_id}",
    summary="Change a channel",
    name="change_alert_channel",
    openapi_extra=takes(ChannelChanges),
)
async def patch_channel(
    caller: AlertManager,
    channel_id: str,
    request: Annotated[ChannelChanges, Depends(body_as(ChannelChanges))],
) -> ChannelShape:
    """Change a channel, or switch it off and on."""
    values = request.model_dump()
    least = request.least_severity
    values["least_severity"] = NAMES.index(least) if least else None
    changed = await change_channel(
        caller.scope, caller.channel_parts, known_id(channel_id), Changes(**values)
    )
    return _shape(changed)


@routes.delete(
    "/{channel_id}",
    summary="Remove a channel",
    status_code=204,
    name="remove_alert_channel",
    openapi_extra={"x-refusals": (409,)},
)
async def delete_channel(caller: AlertManager, channel_id: str) -> None:
    """Remove a channel that is switched off."""
    await remove_channel(caller.scope, caller.parts.database, known_id(channel_id))


@routes.post(
    "/{channel_id}/test",
    summary="Test a channel",
    status_code=202,
    name="test_alert_channel",
    openapi_extra={"x-refusals": (409, 429)},
)
async def post_test(caller: AlertManager, channel_id: str) -> QueuedShape:
    """Queue a test message; at most 10 an hour."""
    queued = await try_channel(caller.scope, caller.parts.database, known_id(channel_id))
    return QueuedShape(alert_id=str(queued))


@routes.post(
    "/{channel_id}/secret",
    summary="Give a new secret",
    name="renew_alert_channel_secret",
    openapi_extra={"x-refusals": (409,)},
)
async def post_secret(caller: AlertManager, channel_id: str) -> SecretShape:
    """Make a new signing secret; for 24 hours messages are signed with both."""
    secret = await renew_secret(caller.scope, caller.channel_parts, known_id(channel_id))
    return SecretShape(secret=secret.get_secret_value())


def _shape(entry: ChannelEntry) -> ChannelShape:
    return ChannelShape(
        id=str(entry.id),
        is_of_partner=entry.is_of_partner,
        kind=entry.kind,
        name=entry.name,
        address=entry.address,
        least_severity=NAMES[entry.limits.least_severity],
        most_per_hour=entry.limits.most_per_hour,
        digest_every_s=entry.limits.digest_every_s,
        is_enabled=entry.is_enabled,
        disabled_reason=entry.disabled_reason,
        created_at=entry.created_at,
    )
