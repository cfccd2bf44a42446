"""`tillwire alerts`: what people were told, and the channels through which they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from app.cli.answer import AsJson, plainly, show_rows
from app.cli.owner import SCOPE, find_owner
from app.health.alerts.channel import ChannelEntry, ChannelParts, Limits
from app.health.alerts.channels import (
    Changes,
    Wanted,
    add_channel,
    change_channel,
    list_channels,
    remove_channel,
)
from app.health.alerts.listing import AlertFilter, list_alerts
from app.health.alerts.owner import OwnerScope
from app.health.alerts.severity import NAMES
from app.health.alerts.trial import try_channel
from app.processes.floor import open_floor
from infra.database.pool import Database
from infra.database.scope import PartnerScope, TenantScope
from infra.egress.own import policy_of
from infra.errors import NotFound, PlatformError, Unprocessable
from infra.ids import Id, parse_id
from infra.settings import EgressSettings, WebSettings, load

STATEMENT_TIMEOUT_S = 30.0
_USUAL = Limits()

Whose = Annotated[str, typer.Argument(help="partner, or partner/retailer")]
ChannelId = Annotated[str, typer.Argument(help="Id of the channel.")]

_T = TypeVar("_T")

commands = typer.Typer(help="Alerts: what people were told, and where.", no_args_is_help=True)
channels = typer.Typer(help="Channels: add, list, test, remove.", no_args_is_help=True)
commands.add_typer(channels, name="channels")


@commands.command("list")
@plainly
def show_alerts(
    owner: Whose,
    *,
    failed: Annotated[bool, typer.Option(help="Only what reached nobody.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most rows.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was told, newest first, with what did not arrive and why."""
    wanted = AlertFilter("failed" if failed else None)

    async def read(scope: OwnerScope, parts: ChannelParts) -> list[dict[str, Any]]:
        found = await list_alerts(scope, parts.database, wanted, limit)
        return [
            {
                "at": each.created_at,
                "channel": each.channel,
                "kind": each.kind,
                "severity": NAMES[each.severity],
                "state": each.state,
                "tries": each.tries,
                "subject": each.subject,
                "problem": each.last_problem,
            }
            for each in found
        ]

    show_rows("Alerts", _run(owner, read), as_json=as_json)


@channels.command("add")
@plainly
def add(  # noqa: PLR0913 - each option is one of the channel's facts
    owner: Whose,
    kind: Annotated[str, typer.Argument(help="mail or webhook")],
    address: Annotated[str, typer.Argument(help="An e-mail address, or an https URL.")],
    *,
    name: Annotated[str, typer.Option(help="What people call it.")],
    least_severity: Annotated[
        str, typer.Option(help=f"Told from this on: {', '.join(NAMES)}.")
    ] = NAMES[_USUAL.least_severity],
    most_per_hour: Annotated[
        int, typer.Option(min=1, max=1000, help="Alerts an hour; critical ones come besides.")
    ] = _USUAL.most_per_hour,
    digest_every_s: Annotated[
        int, typer.Option(min=60, max=604_800, help="The rest comes together after so long (s).")
    ] = _USUAL.digest_every_s,
    as_json: AsJson = False,
) -> None:
    """Make a channel; the signing secret of a webhook is shown this once."""
    limits = Limits(_severity(least_severity), most_per_hour, digest_every_s)

    async def make(scope: OwnerScope, parts: ChannelParts) -> dict[str, Any]:
        made, secret = await add_channel(scope, parts, Wanted(kind, name, address, limits))
        shown = {"secret": secret.get_secret_value()} if secret else {}
        return {**_row(made), **shown}

    title = "New channel; a secret is shown only now"
    show_rows(title, [_run(owner, make)], as_json=as_json)


@channels.command("list")
@plainly
def show_channels(owner: Whose, *, as_json: AsJson = False) -> None:
    """List the channels of a partner or retailer."""

    async def read(scope: OwnerScope, parts: ChannelParts) -> list[dict[str, Any]]:
        return [_row(each) for each in await list_channels(scope, parts.database)]

    show_rows("Channels", _run(owner, read), as_json=as_json)


@channels.command("test")
@plainly
def try_out(owner: Whose, channel: ChannelId, *, as_json: AsJson = False) -> None:
    """Queue a test message; `tillwire alerts list` says how it went."""

    async def queue(scope: OwnerScope, parts: ChannelParts) -> dict[str, Any]:
        return {"alert": str(await try_channel(scope, parts.database, _known(channel)))}

    show_rows("Test message queued", [_run(owner, queue)], as_json=as_json)


@channels.command("remove")
@plainly
def remove(owner: Whose, channel: ChannelId, *, as_json: AsJson = False) -> None:
    """Switch a channel off and remove it; what it was told stays in the list."""

    async def end(scope: OwnerScope, parts: ChannelParts) -> dict[str, Any]:
        channel_id = _known(channel)
        await change_channel(scope, parts, channel_id, Changes(is_enabled=False))
        await remove_channel(scope, parts.database, channel_id)
        return {"id": channel, "state": "removed"}

    show_rows("Channel", [_run(owner, end)], as_json=as_json)


def _run(owner: str, act: Callable[[OwnerScope, ChannelParts], Awaitable[_T]]) -> _T:
    """Do something for an owner of channels, on a floor of its own."""

    async def run() -> _T:
        policy = policy_of(load(EgressSettings), load(WebSettings))
        async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
            scope = await _scope(owner, floor.database)
            return await act(scope, ChannelParts(floor.database, floor.vault, policy))

    return asyncio.run(run())


async def _scope(owner: str, database: Database) -> OwnerScope:
    found = await find_owner(owner, database)
    if found.tenant_id is not None:
        return TenantScope(found.tenant_id, SCOPE.actor)
    if found.partner_id is not None:
        return PartnerScope(found.partner_id, SCOPE.actor)
    raise PlatformError("Write a partner, or partner/retailer.", code="cli.owner_unknown")


def _known(channel: str) -> Id:
    known = parse_id(channel)
    if known is None:
        raise NotFound
    return known


def _severity(name: str) -> int:
    for place, known in enumerate(NAMES):
        if known == name:
            return place
    raise Unprocessable(f"A severity is one of {', '.join(NAMES)}.")


def _row(entry: ChannelEntry) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "name": entry.name,
        "kind": entry.kind,
        "address": entry.address,
        "told from": NAMES[entry.limits.least_severity],
        "most per hour": entry.limits.most_per_hour,
        "digest after (s)": entry.limits.digest_every_s,
        "state": "on" if entry.is_enabled else f"off. {entry.disabled_reason}".strip(),
    }
