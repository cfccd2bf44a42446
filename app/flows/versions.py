"""Versions of a flow's mapping: publish settings and overrides, list, compare, go back.

A published version is never changed. What runs is the flow's own row, which carries the same content
and the version's number; every attempt says with which version it was made.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.connections.changes import Change, note_change
from app.connections.tenant import acting_tenant
from app.flows.overrides import compile_overrides
from infra.database.unit import Row, Session
from infra.errors import Conflict, NotFound
from infra.ids import Id
from tenants.audit import Detail, record

Written = dict[str, Any]

# What was published, and what runs now where that was never written as a version.
_ALL = """
select flow_id, version, settings, overrides, note, published_by, published_at from flow_version
where tenant_id = $1 and flow_id = $2
union all
select id, version, settings, overrides, '', '', updated_at from flow
where tenant_id = $1 and id = $2 and not exists (select from flow_version known
    where known.tenant_id = $1 and known.flow_id = $2 and known.version = flow.version)
"""
# Of a flow from before there were versions, or made by hand: what it was must not get lost.
_KEEP_PRESENT = (
    "insert into flow_version (tenant_id, flow_id, version, settings, overrides, note, published_by,"
    " published_at) select tenant_id, id, version, settings, overrides, $3, $4, updated_at from flow"
    " where tenant_id = $1 and id = $2 on conflict do nothing"
)


@dataclass(frozen=True, slots=True)
class FlowVersion:
    """One published version; `published_at` is UTC."""

    flow_id: Id
    version: int
    settings: Written
    overrides: tuple[Written, ...]
    note: str
    published_by: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What to publish; settings or overrides that are None stay as they are.

    `based_on` is the version that the author has seen: when another one was published meanwhile, the
    new one is refused. None publishes in any case.
    """

    flow_id: Id
    note: str
    settings: Written | None = None
    overrides: Sequence[Written] | None = None
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class PresentFlow:
    """A flow as it runs, locked or not."""

    id: Id
    name: str
    version: int
    event_types: tuple[str, ...]
    settings: Written
    overrides: tuple[Written, ...]


async def publish_version(session: Session, wanted: NewVersion) -> FlowVersion:
    """Make new content what runs; the same content again is published as a version of its own, too.

    Raises: NotFound; Unprocessable for rules that cannot be used; Conflict when `based_on` is not the
            present version.
    """
    flow = await read_flow(session, wanted.flow_id, is_locked=True)
    if wanted.based_on is not None and wanted.based_on != flow.version:
        raise Conflict(
            f"Version {flow.version} was published meanwhile. Read it, then publish again.",
            code="flow.version_changed",
        )
    settings = flow.settings if wanted.settings is None else wanted.settings
    overrides = flow.overrides if wanted.overrides is None else tuple(wanted.overrides)
    compile_overrides(overrides, flow.event_types)
    await keep_present(session, flow.id)
    await session.execute(
        "update flow set settings = $3, overrides = $4, version = version + 1, updated_at = now()"
        " where tenant_id = $1 and id = $2",
        acting_tenant(session),
        flow.id,
        json.dumps(settings),
        json.dumps(overrides),
    )
    await keep_present(session, flow.id, wanted.note)
    published = await read_version(session, flow.id, flow.version + 1)
    await _tell(session, flow, published)
    return published


async def roll_back(session: Session, flow_id: Id, version: int, note: str) -> FlowVersion:
    """Publish the content of an earlier version as a new one; raises NotFound, Unprocessable."""
    earlier = await read_version(session, flow_id, version)
    told = f"Back to version {version}. {note}".strip()
    return await publish_version(
        session, NewVersion(flow_id, told, earlier.settings, earlier.overrides)
    )


async def keep_present(session: Session, flow_id: Id, note: str = "") -> None:
    """Write the flow as it runs now as a version, unless it is written; twice is harmless."""
    actor = getattr(session.scope, "actor", "")
    await session.execute(_KEEP_PRESENT, acting_tenant(session), flow_id, note, actor)


async def read_flow(session: Session, flow_id: Id, *, is_locked: bool = False) -> PresentFlow:
    """Give a flow as it runs, on demand locked against other publishers; raises NotFound."""
    row = await session.fetch_one(
        "select id, name, version, event_types, settings, overrides from flow"  # noqa: S608
        f" where tenant_id = $1 and id = $2{' for no key update' if is_locked else ''}",
        acting_tenant(session),
        flow_id,
    )
    if row is None:
        raise NotFound
    return PresentFlow(
        row["id"],
        row["name"],
        row["version"],
        tuple(row["event_types"]),
        json.loads(row["settings"]),
        tuple(json.loads(row["overrides"])),
    )


async def read_version(session: Session, flow_id: Id, version: int) -> FlowVersion:
    """Give one version; raises NotFound."""
    row = await session.fetch_one(
        f"select * from ({_ALL}) known where version = $3",  # noqa: S608 - our own text
        acting_tenant(session),
        flow_id,
        version,
    )
    if row is None:
        raise NotFound
    return _version(row)


async def list_versions(session: Session, flow_id: Id, limit: int) -> list[FlowVersion]:
    """Give the newest versions of a flow, newest first; raises NotFound for an unknown flow."""
    await read_flow(session, flow_id)
    rows = await session.fetch(
        f"select * from ({_ALL}) known order by version desc limit $3",  # noqa: S608
        acting_tenant(session),
        flow_id,
        limit,
    )
    return [_version(row) for row in rows]


def published_content(version: FlowVersion) -> bytes:
    """Give a version's content as JSON, for a comparison by place."""
    content = {"settings": version.settings, "overrides": version.overrides}
    return json.dumps(content, ensure_ascii=False).encode()


async def _tell(session: Session, flow: PresentFlow, published: FlowVersion) -> None:
    """Note the change for incidents, and write the audit log (last in the transaction)."""
    rules = len(published.overrides)
    words = (
        f"Version {published.version} of the flow {flow.name} was published ({_counted(rules)})."
    )
    if published.note:
        words = f"{words} {published.note}"
    detail = {"version": published.version, "before": flow.version, "rules": rules}
    await note_change(session, Change("mapping", words, flow_id=flow.id, detail=detail))
    told: Detail = {**detail, "name": flow.name, "note": published.note}
    await record(session, "flows.publish_version", f"flow:{flow.id}", told)


def _version(row: Row) -> FlowVersion:
    values = dict(row)
    values["settings"] = json.loads(row["settings"])
    values["overrides"] = tuple(json.loads(row["overrides"]))
    return FlowVersion(**values)


def _counted(rules: int) -> str:
    return "1 rule" if rules == 1 else f"{rules} rules"
