"""Make the content of what gathered, once it is due: a digest, or one cause at many retailers."""

from __future__ import annotations

from typing import Any

from app.health.alerts.content import (
    AFFECTED_COLUMNS,
    AFFECTED_JOINS,
    NAMED,
    Content,
    NextStep,
    affected_of,
    amounts_of,
    written,
)
from app.health.alerts.plan import PLANNING_IS_MINE
from app.health.alerts.words import worded
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Row, Session, begin

AT_ONCE = 50

_DUE = (
    "select tenant_id, id, kind, created_at from alert where state = 'pending' and content is null"
    " and gathers <> '' and due_at <= now() order by due_at limit $1"
)
_MEMBERS = (
    "with m as (select tenant_id, incident_id, max(moment_id::text)::uuid as moment_id,"
    " count(*) as alerts, max(severity) as told_severity from alert"
    " where told_by = $1 and state in ('joined', 'digested') group by tenant_id, incident_id)"
)
# What is over by now is counted apart, but for the end of troubles, which is about just that.
_SUMS = (
    f"{_MEMBERS}, i as (select i.*, m.alerts, m.told_severity,"  # noqa: S608 - our own words
    " ($2 or i.state <> 'resolved') as counts"
    " from m join incident i on i.tenant_id = m.tenant_id and i.id = m.incident_id)"
    " select count(*) as incidents, coalesce(sum(alerts), 0)::bigint as alerts,"
    " count(*) filter (where state = 'resolved') as over, count(distinct tenant_id) as retailers,"
    " coalesce(sum(held + waiting) filter (where counts), 0)::bigint as records,"
    " min(deadline_at) filter (where counts) as deadline_at, max(told_severity) as severity,"
    " (select jsonb_object_agg(currency, amount::text) from (select currency, sum(amount::numeric)"
    " as amount from i, jsonb_each_text(i.at_risk) as risk (currency, amount) where counts"
    " group by currency) sums)::text as at_risk from i"
)
_NAMED = (
    f"{_MEMBERS} select {AFFECTED_COLUMNS}, h.words as news from m"  # noqa: S608 - our own words
    " join incident i on i.tenant_id = m.tenant_id and i.id = m.incident_id"
    f" {AFFECTED_JOINS}"
    " left join incident_moment h on h.tenant_id = m.tenant_id and h.id = m.moment_id"
    " order by i.state = 'resolved', i.severity desc, i.held + i.waiting desc, i.id limit $2"
)
_FILL = (
    "update alert set content = $3, subject = $4, words = $5, severity = $6"
    " where tenant_id = $1 and id = $2"
)
_EMPTY = (
    "update alert set state = 'unneeded', last_problem = 'It was over before anybody was told.'"
    " where tenant_id = $1 and id = $2"
)
# A channel that is switched off or gone takes its unsent alerts with it.
_ORPHANS = (
    "update alert a set state = 'unneeded', last_problem = 'The channel is switched off or gone.'"
    " where a.state = 'pending' and not exists"
    " (select 1 from alert_channel c where c.id = a.channel_id and c.is_enabled)"
)


async def close_gatherings(database: Database, next_step: NextStep) -> int:
    """Fill in what is due, so that it can be sent; gives how many. Safe to repeat and to race."""
    async with begin(EngineScope(), database) as session:
        if not await session.fetch_value(PLANNING_IS_MINE):
            return 0
        await session.execute(_ORPHANS)
        due = await session.fetch(_DUE, AT_ONCE)
        for row in due:
            await _close(session, row, next_step)
    return len(due)


async def _close(session: Session, row: Row, next_step: NextStep) -> None:
    sums = await session.fetch_one(_SUMS, row["id"], row["kind"] == "resolved")
    if sums is None or not sums["incidents"]:
        await session.execute(_EMPTY, row["tenant_id"], row["id"])
        return
    named = await session.fetch(_NAMED, row["id"], NAMED)
    content = _content(row["kind"], dict(sums), named, next_step)
    said = worded(row["kind"], content, row["created_at"])
    await session.execute(
        _FILL,
        row["tenant_id"],
        row["id"],
        written(content),
        said.subject,
        said.text,
        sums["severity"],
    )


def _content(kind: str, sums: dict[str, Any], named: list[Row], next_step: NextStep) -> Content:
    affected = tuple(affected_of(each, next_step) for each in named)
    is_news = kind in {"escalated", "resolved"} and len(named) == 1
    return Content(
        who=affected[0].retailer if sums["retailers"] == 1 else f"{sums['retailers']:,} retailers",
        affected=affected,
        alerts=sums["alerts"],
        incidents=sums["incidents"],
        over=sums["over"],
        retailers=sums["retailers"],
        records=sums["records"],
        at_risk=amounts_of(sums["at_risk"]),
        deadline_at=sums["deadline_at"],
        news=(named[0]["news"] or "") if is_news else "",
    )
