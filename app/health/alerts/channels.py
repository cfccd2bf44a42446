"""Channels: add, list, read, change, remove. Every act is audited."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import SecretStr

from app.health.alerts.channel import (
    COLUMNS,
    ChannelEntry,
    ChannelParts,
    Limits,
    entry_of,
    find_channel,
    subject_of,
)
from app.health.alerts.kinds import KINDS
from app.health.alerts.owner import OWN, OwnerScope, owner_columns, owner_id
from app.health.alerts.secrets import Signing, new_secret, seal
from infra.database.pool import Database
from infra.database.unit import Session, begin
from infra.egress.policy import EgressPolicy
from infra.errors import Conflict, FieldError, Unprocessable
from infra.ids import Id, new_id
from tenants.audit import record
from tenants.naming import check_name

MOST_CHANNELS = 50
_INSERT = (
    "insert into alert_channel (id, partner_id, tenant_id, kind, name, address, least_severity,"
    " most_per_hour, digest_every_s, sealed_secret, secret_period)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A channel as somebody wants it."""

    kind: str
    name: str
    address: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class Changes:
    """What shall change about a channel; None leaves it as it is."""

    name: str | None = None
    address: str | None = None
    least_severity: int | None = None
    most_per_hour: int | None = None
    digest_every_s: int | None = None
    is_enabled: bool | None = None


async def add_channel(
    scope: OwnerScope, parts: ChannelParts, wanted: Wanted
) -> tuple[ChannelEntry, SecretStr | None]:
    """Make a channel; gives it with its signing secret, which is shown only now.

    Raises Unprocessable for an unknown kind or an unusable address, Conflict beyond 50 channels.
    """
    kind = KINDS.get(wanted.kind)
    if kind is None:
        raise _unknown_kind()
    address = kind.check(wanted.address, parts.policy)
    name, channel_id = check_name(wanted.name), new_id()
    secret = new_secret() if kind.has_secret else None
    key = await parts.vault.current(owner_id(scope)) if secret else None
    sealed = seal(key, channel_id, Signing(secret)) if key and secret else None
    partner_id, tenant_id = owner_columns(scope)
    async with begin(scope, parts.database) as session:
        await _refuse_too_many(session, scope)
        limits = wanted.limits
        await session.execute(
            _INSERT,
            *(channel_id, partner_id, tenant_id, wanted.kind, name, address),
            *(limits.least_severity, limits.most_per_hour, limits.digest_every_s),
            *(sealed, key.period if key else None),
        )
        made = await find_channel(session, scope, channel_id)
        # The address may be a person's, and a URL may hold a key: the audit log keeps neither.
        await record(session, "alerts.add_channel", subject_of(channel_id), {"kind": wanted.kind})
    return made, secret


async def list_channels(scope: OwnerScope, database: Database) -> list[ChannelEntry]:
    """List an owner's channels, by name."""
    async with begin(scope, database) as session:
        rows = await session.fetch(
            f"select {COLUMNS} from alert_channel where {OWN} order by name, id",  # noqa: S608
            owner_id(scope),
        )
    return [entry_of(row) for row in rows]


async def read_channel(scope: OwnerScope, database: Database, channel_id: Id) -> ChannelEntry:
    """Read one channel; raises NotFound for a missing and a foreign one alike."""
    async with begin(scope, database) as session:
        return await find_channel(session, scope, channel_id)


async def change_channel(
    scope: OwnerScope, parts: ChannelParts, channel_id: Id, changes: Changes
) -> ChannelEntry:
    """Change a channel; switching it on again forgets why it was switched off."""
    async with begin(scope, parts.database) as session:
        before = await find_channel(session, scope, channel_id, for_update=True)
        after = _changed(before, changes, parts.policy)
        if after != before:
            await session.execute(
                "update alert_channel set name = $2, address = $3, least_severity = $4,"
                " most_per_hour = $5, digest_every_s = $6, is_enabled = $7, disabled_reason = $8"
                " where id = $1",
                *(channel_id, after.name, after.address, after.limits.least_severity),
                *(after.limits.most_per_hour, after.limits.digest_every_s),
                *(after.is_enabled, after.disabled_reason),
            )
            named = [name for name in Changes.__slots__ if getattr(changes, name) is not None]
            await record(
                session, "alerts.change_channel", subject_of(channel_id), {"changed": named}
            )
    return after


async def remove_channel(scope: OwnerScope, database: Database, channel_id: Id) -> None:
    """Remove a channel that was switched off before; what it was told stays in the list of alerts."""
    async with begin(scope, database) as session:
        channel = await find_channel(session, scope, channel_id, for_update=True)
        if channel.is_enabled:
            raise Conflict(
                f"{channel.name} is in use: people rely on it. Switch it off first.",
                code="alert.channel_in_use",
            )
        await session.execute("delete from alert_channel where id = $1", channel_id)
        await record(
            session, "alerts.remove_channel", subject_of(channel_id), {"kind": channel.kind}
        )


async def _refuse_too_many(session: Session, scope: OwnerScope) -> None:
    count = await session.fetch_value(
        f"select count(*) from alert_channel where {OWN}",  # noqa: S608
        owner_id(scope),
    )
    if count >= MOST_CHANNELS:
        raise Conflict(
            f"There are {MOST_CHANNELS} channels already. Remove one that nobody reads.",
            code="alert.too_many_channels",
        )


def _changed(before: ChannelEntry, changes: Changes, policy: EgressPolicy) -> ChannelEntry:
    given = {
        name: getattr(changes, name)
        for name in Changes.__slots__
        if getattr(changes, name) is not None
    }
    limits = {name: given.pop(name) for name in Limits.__slots__ if name in given}
    if "name" in given:
        given["name"] = check_name(given["name"])
    if "address" in given:
        given["address"] = KINDS[before.kind].check(given["address"], policy)
    if given.get("is_enabled"):
        given["disabled_reason"] = ""
    return replace(before, limits=replace(before.limits, **limits), **given)


def _unknown_kind() -> Unprocessable:
    words = f"There are channels of these kinds: {', '.join(KINDS)}."
    return Unprocessable(
        words,
        code="alert.kind_unknown",
        errors=(FieldError("/kind", "alert.kind_unknown", words),),
    )
