"""Send a test message through a channel, as any alert goes, before it is needed."""

from __future__ import annotations

from app.health.alerts.channel import find_channel, subject_of
from app.health.alerts.content import Content, written
from app.health.alerts.desk import NIL
from app.health.alerts.owner import OwnerScope, owner_columns, owner_id
from app.health.alerts.words import worded
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import Conflict, PlatformError
from infra.ids import Id, new_id
from tenants.audit import record

# A test goes to whatever address a channel has: it must not become a way to flood somebody.
MOST_TESTS_PER_HOUR = 10

_INSERT_TEST = (
    "insert into alert (tenant_id, id, partner_id, channel_id, thread_id, kind, severity, subject,"
    " words, content) values ($1, $2, $3, $4, $2, 'test', 0, $5, $6, $7)"
)
_TESTS = (
    "select count(*) from alert where channel_id = $1 and kind = 'test'"
    " and created_at > now() - interval '1 hour'"
)


async def try_channel(scope: OwnerScope, database: Database, channel_id: Id) -> Id:
    """Queue a test message; gives the id of its alert. Raises Conflict when it is switched off."""
    alert_id = new_id()
    async with begin(scope, database) as session:
        channel = await find_channel(session, scope, channel_id, for_update=True)
        if not channel.is_enabled:
            raise Conflict(
                f"{channel.name} is switched off. Switch it on, then test it.",
                code="alert.channel_off",
            )
        if await session.fetch_value(_TESTS, channel_id) >= MOST_TESTS_PER_HOUR:
            raise PlatformError(
                f"{channel.name} had {MOST_TESTS_PER_HOUR} tests within an hour. Try again later.",
                code="rate.exceeded",
                status=429,
                retry_after_s=3600,
            )
        content = Content(who=await _owner_name(session, scope))
        said = worded("test", content, clock.now())
        partner_id, tenant_id = owner_columns(scope)
        await session.execute(
            _INSERT_TEST,
            *(tenant_id or NIL, alert_id, partner_id, channel_id, said.subject, said.text),
            written(content),
        )
        await record(session, "alerts.test_channel", subject_of(channel_id), {})
    return alert_id


async def _owner_name(session: Session, scope: OwnerScope) -> str:
    table = "tenant" if isinstance(scope, TenantScope) else "partner"
    name: str = await session.fetch_value(
        f"select name from {table} where id = $1",  # noqa: S608
        owner_id(scope),
    )
    return name
