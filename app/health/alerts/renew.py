"""Give a channel a new signing secret; the one before it signs for a day more."""

from __future__ import annotations

from pydantic import SecretStr

from app.health.alerts.channel import ChannelParts, find_channel, subject_of
from app.health.alerts.owner import OwnerScope, owner_id
from app.health.alerts.secrets import replaced, seal, unseal
from infra import clock
from infra.database.unit import begin
from infra.errors import Conflict
from infra.ids import Id
from tenants.audit import record


async def renew_secret(scope: OwnerScope, parts: ChannelParts, channel_id: Id) -> SecretStr:
    """Give a channel a new signing secret, shown only now; for a day both sign."""
    owner = owner_id(scope)
    key = await parts.vault.current(owner)
    async with begin(scope, parts.database) as session:
        await find_channel(session, scope, channel_id, for_update=True)
        row = await session.fetch_one(
            "select sealed_secret, secret_period from alert_channel where id = $1", channel_id
        )
        if row is None or row["sealed_secret"] is None:
            raise Conflict("This kind of channel has no secret.", code="alert.no_secret")
        old = await parts.vault.of(owner, row["secret_period"], session)
        signing = replaced(unseal(old, channel_id, row["sealed_secret"]), clock.now())
        await session.execute(
            "update alert_channel set sealed_secret = $2, secret_period = $3 where id = $1",
            channel_id,
            seal(key, channel_id, signing),
            key.period,
        )
        await record(session, "alerts.renew_secret", subject_of(channel_id), {})
    return signing.current
