"""A person decides about a price: let it pass, or end it everywhere."""

from __future__ import annotations

from datetime import datetime

from app.connections.tenant import acting_tenant
from app.retail.prices.book import Stored, SubjectName, mark_due, settle_newest, stored
from infra.clock import now
from infra.database.unit import Row, Session
from infra.errors import Conflict, NotFound
from infra.ids import Id
from tenants.audit import record

_TAKE = """
select id, subject, connection_id, object_id, version, content_hash, item, body, told_at, state,
    words, approved_by, withdrawn_at, message_id
from price_version where tenant_id = $1 and id = $2 for update
"""
_APPROVE = """
update price_version set state = 'superseded', approved_by = $3, approved_at = $4, words = ''
where tenant_id = $1 and id = $2
"""
_WITHDRAW = """
update price_version set withdrawn_at = $4, withdrawn_by = $3 where tenant_id = $1 and id = $2
"""


async def approve_version(session: Session, version_id: Id, by: str, reason: str) -> Stored:
    """Let a price pass that waits for approval; it is distributed at once.

    Raises: NotFound; Conflict when it does not wait.
    """
    row = await _taken(session, version_id)
    version = stored(row)
    if version.state != "held":
        raise Conflict("This price does not wait for approval.", code="price.not_held")
    await session.execute(_APPROVE, acting_tenant(session), version_id, by, now())
    subject: SubjectName = row["subject"]
    await settle_newest(session, subject, [version.of])
    await mark_due(session, subject, [version.item])
    detail = {"object": version.object_id, "version": version.version, "reason": reason}
    await record(session, "prices.approve_version", f"price_version:{version_id}", detail)
    return version


async def expire_version(session: Session, version_id: Id, by: str, reason: str) -> datetime:
    """End a price or promotion everywhere, now; gives when. What held before it holds again.

    Raises: NotFound; Conflict when it is held, ended or superseded.
    """
    row = await _taken(session, version_id)
    version = stored(row)
    if (
        version.state != "current"
        or version.withdrawn_at is not None
        or row["subject"] == "product"
    ):
        words = "Only a price or promotion that counts and was not ended can be ended."
        raise Conflict(words, code="price.not_current")
    at = now()
    await session.execute(_WITHDRAW, acting_tenant(session), version_id, by, at)
    await mark_due(session, row["subject"], [version.item])
    detail = {"object": version.object_id, "version": version.version, "reason": reason}
    await record(session, "prices.expire_version", f"price_version:{version_id}", detail)
    return at


async def _taken(session: Session, version_id: Id) -> Row:
    row = await session.fetch_one(_TAKE, acting_tenant(session), version_id)
    if row is None:
        raise NotFound
    return row
