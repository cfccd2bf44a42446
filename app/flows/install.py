"""Install a blueprint between two connections of a retailer; the same call twice changes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from app.connections.declared import declared_manifest
from app.connections.directory import read_connection
from app.connections.tenant import acting_tenant
from app.flows.blueprints import blueprint
from app.flows.fit import fit
from app.flows.routes import Ordering
from infra.clock import now
from infra.database.unit import Session
from infra.errors import Unprocessable
from infra.ids import Id, new_id
from tenants.audit import Detail, record

_COLUMNS = (
    "blueprint",
    "source_connection_id",
    "target_connection_id",
    "event_types",
    "action",
    "ordering",
    "class",
    "settings",
    "is_enabled",
)


@dataclass(frozen=True, slots=True)
class WantedFlow:
    """A flow as it shall be; `action` is needed only where the target offers several."""

    name: str
    blueprint: str
    source: Id
    target: Id
    settings: dict[str, Any] = field(default_factory=dict)
    action: str = ""
    is_enabled: bool = True


@dataclass(frozen=True, slots=True)
class FlowShape:
    """What a blueprint means for two kinds of system, as it is stored with a flow."""

    blueprint: str
    event_types: tuple[str, ...]
    action: str
    ordering: Ordering
    class_: int


async def ensure_flow(session: Session, wanted: WantedFlow) -> tuple[Id, bool]:
    """Make a flow exist as wanted; gives its id and whether anything changed.

    A change raises the version by one. Raises Unprocessable when the blueprint or a connection does
    not exist, or the two systems do not fit it.
    """
    values = await _values(session, wanted)
    row = await session.fetch_one(
        f"select id, {', '.join(_COLUMNS)} from flow"  # noqa: S608
        " where tenant_id = $1 and name = $2 for update",
        acting_tenant(session),
        wanted.name,
    )
    if row is None:
        flow_id = await _create(session, wanted.name, values)
        await _record(session, "flows.install_flow", flow_id, wanted)
        return flow_id, True
    if {**dict(row), "settings": json.loads(row["settings"])} == {**values, "id": row["id"]}:
        return row["id"], False
    await _update(session, row["id"], values)
    await _record(session, "flows.change_flow", row["id"], wanted)
    return row["id"], True


def shape_of(name: str, source: str, target: str, action: str = "") -> FlowShape:
    """Say what a blueprint means between two connectors; raises Unprocessable when it does not fit."""
    plan = blueprint(name)
    fitting = fit(plan, declared_manifest(source), declared_manifest(target), action)
    return FlowShape(plan.name, fitting.event_types, fitting.action, plan.ordering, plan.class_)


async def _values(session: Session, wanted: WantedFlow) -> dict[str, Any]:
    source = await read_connection(session, wanted.source)
    target = await read_connection(session, wanted.target)
    if source is None or target is None:
        raise Unprocessable(
            f"The flow {wanted.name} needs two connections of this retailer.",
            code="flow.connection_missing",
        )
    shape = shape_of(wanted.blueprint, source.connector, target.connector, wanted.action)
    return {
        "blueprint": shape.blueprint,
        "source_connection_id": source.id,
        "target_connection_id": target.id,
        "event_types": list(shape.event_types),
        "action": shape.action,
        "ordering": shape.ordering,
        "class": shape.class_,
        "settings": wanted.settings,
        "is_enabled": wanted.is_enabled,
    }


async def _create(session: Session, name: str, values: dict[str, Any]) -> Id:
    flow_id = new_id()
    places = ", ".join(f"${number}" for number in range(1, len(_COLUMNS) + 4))
    await session.execute(
        f"insert into flow (tenant_id, id, name, {', '.join(_COLUMNS)}) values ({places})",  # noqa: S608
        acting_tenant(session),
        flow_id,
        name,
        *_arguments(values),
    )
    return flow_id


async def _update(session: Session, flow_id: Id, values: dict[str, Any]) -> None:
    changes = ", ".join(f"{column} = ${number}" for number, column in enumerate(_COLUMNS, 4))
    await session.execute(
        f"update flow set {changes}, version = version + 1, updated_at = $3"  # noqa: S608
        " where tenant_id = $1 and id = $2",
        acting_tenant(session),
        flow_id,
        now(),
        *_arguments(values),
    )


async def _record(session: Session, action: str, flow_id: Id, wanted: WantedFlow) -> None:
    detail: Detail = {
        "name": wanted.name,
        "blueprint": wanted.blueprint,
        "from": str(wanted.source),
        "to": str(wanted.target),
        "is_enabled": wanted.is_enabled,
    }
    await record(session, action, f"flow:{flow_id}", detail)


def _arguments(values: dict[str, Any]) -> list[Any]:
    return [
        json.dumps(values[column]) if column == "settings" else values[column]
        for column in _COLUMNS
    ]
