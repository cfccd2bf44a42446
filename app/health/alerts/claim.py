"""Take what is due, one channel at a time, and write down how it ended; the book is the queue.

One sender at a time works for a channel, so that the end of a trouble never comes before its
beginning. A sender that dies leaves its alert due: the repeat carries the same ids.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.health.alerts.notice import AlertKind, Never, Result, Told, TryLater
from app.health.alerts.voice import Voice, voice_of
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.ids import Id

# Longer than what one sender does for a channel: see `send.WORK_S` and `notice.DEADLINE_S`.
LEASE = timedelta(seconds=60)
# After a failure the channel rests, however much waits for it.
REST = timedelta(seconds=5)
# Seconds between tries; the last one again and again until a day is over.
BACKOFF_S = (10, 30, 60, 120, 300, 600, 1200, 1800)
JITTER_0_1 = 0.2
# A receiver may ask for patience, but not for more than this (seconds).
MOST_PATIENCE_S = 3600.0
GIVE_UP_AFTER = timedelta(hours=24)

# Due, written, and not behind an earlier alert of its thread: an end never overtakes its beginning.
_READY = """
    a.state = 'pending' and a.content is not null and a.due_at <= now() and not exists (
        select 1 from alert e where e.channel_id = a.channel_id and e.thread_id = a.thread_id
        and e.state = 'pending' and e.content is not null and e.id < a.id)
"""
_LEASE_CHANNEL = f"""
    update alert_channel set leased_until = now() + $1 where id = (
        select c.id from alert_channel c join lateral (
            select max(a.severity) as severity, min(a.due_at) as due_at from alert a
            where a.channel_id = c.id and {_READY}
        ) waiting on waiting.due_at is not null
        where c.is_enabled and c.leased_until <= now()
        order by waiting.severity desc, waiting.due_at limit 1 for update of c skip locked
    ) returning id, kind, address, coalesce(partner_id, tenant_id) as owner_id, sealed_secret,
        secret_period
"""  # noqa: S608 - our own words
_TAKE = f"""
    with next as (
        select tenant_id, id from alert a where channel_id = $1 and {_READY}
        order by severity desc, id limit 1 for update skip locked
    )
    update alert a set tries = a.tries + 1 from next
    where a.tenant_id = next.tenant_id and a.id = next.id
    returning a.tenant_id, a.id, a.thread_id, a.incident_id, a.kind, a.severity, a.content::text,
        a.tries, a.created_at
"""  # noqa: S608 - our own words
_VOICE = """
    select p.name, p.brand::text from alert_channel c left join tenant t on t.id = c.tenant_id
    join partner p on p.id = coalesce(c.partner_id, t.partner_id) where c.id = $1
"""
_SETTLE = """
    update alert set state = $3, last_problem = $4, due_at = now() + $5::interval,
        sent_at = case when $3 = 'sent' then now() end
    where tenant_id = $1 and id = $2 and state = 'pending' and (tries = $6 or $3 = 'sent')
"""
_RELEASE = "update alert_channel set leased_until = now() + $2 where id = $1"
_DISABLE = (
    "update alert_channel set is_enabled = false, disabled_reason = $2 where id = $1 and is_enabled"
)


@dataclass(frozen=True, slots=True)
class LeasedChannel:
    """A channel that this sender works for, with its secrets sealed."""

    id: Id
    kind: str
    address: str
    owner_id: Id
    sealed_secret: bytes | None
    secret_period: int | None


@dataclass(frozen=True, slots=True)
class TakenAlert:
    """An alert that is being sent; `tries` counts this try, `content` is as it was stored."""

    tenant_id: Id
    id: Id
    thread_id: Id
    incident_id: Id | None
    kind: AlertKind
    severity: int
    content: str
    tries: int
    created_at: datetime
    voice: Voice


async def lease_channel(database: Database) -> LeasedChannel | None:
    """Take the channel with the gravest alert that is due; None when there is none."""
    async with begin(EngineScope(), database) as session:
        row = await session.fetch_one(_LEASE_CHANNEL, LEASE)
    return LeasedChannel(**dict(row)) if row else None


async def take_alert(database: Database, channel: LeasedChannel) -> TakenAlert | None:
    """Take the gravest alert of a channel that is due; the try is counted before it is made."""
    async with begin(EngineScope(), database) as session:
        row = await session.fetch_one(_TAKE, channel.id)
        voice = await session.fetch_one(_VOICE, channel.id)
    if row is None or voice is None:
        return None
    return TakenAlert(**dict(row), voice=voice_of(voice["name"], json.loads(voice["brand"])))


async def settle(
    database: Database, channel: LeasedChannel, alert: TakenAlert, result: Result, now: datetime
) -> str:
    """Write how a try ended and give the state; what a later sender has taken over is left alone."""
    state, problem, wait = _ending(alert, result, now)
    async with begin(EngineScope(), database) as session:
        await session.execute(_SETTLE, alert.tenant_id, alert.id, state, problem, wait, alert.tries)
        if isinstance(result, Never) and result.is_channel_gone:
            await session.execute(_DISABLE, channel.id, result.problem)
    return state


async def release(database: Database, channel: LeasedChannel, *, rests: bool) -> None:
    """Let go of a channel; after a failure it rests a little."""
    async with begin(EngineScope(), database) as session:
        await session.execute(_RELEASE, channel.id, REST if rests else timedelta(0))


def _ending(alert: TakenAlert, result: Result, now: datetime) -> tuple[str, str, timedelta]:
    """Give state, problem and wait after a try; after a day of trying it has failed."""
    if isinstance(result, Told):
        return "sent", "", timedelta(0)
    if isinstance(result, Never):
        return "failed", result.problem, timedelta(0)
    wait = timedelta(seconds=_wait_s(alert.tries, result))
    is_given_up = now + wait - alert.created_at > GIVE_UP_AFTER
    return ("failed" if is_given_up else "pending"), result.problem, wait


def _wait_s(tries: int, result: TryLater) -> float:
    usual_s = BACKOFF_S[min(tries, len(BACKOFF_S)) - 1]
    spread = random.uniform(1 - JITTER_0_1, 1 + JITTER_0_1)  # noqa: S311 - spreading, not secrecy
    return max(usual_s * spread, min(result.after_s or 0.0, MOST_PATIENCE_S))
