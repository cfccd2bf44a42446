"""Install a blueprint between two connections of a retailer; the same call twice changes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from app.connections.changes import Change, ChangeKind, note_change
from app.connections.declared import declared_manifest
from app.connections.directory import read_connection
from app.connections.tenant import acting_tenant
from app.flows.blueprints import blueprint
from app.flows.fit import fit
from app.flows.overrides import compile_overrides
from app.flows.routes import Ordering
from app.flows.versions import keep_present
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
    "overrides",
)
_JSON = frozenset({"settings", "overrides"})
_WORDS = {"source_connection_id": "source", "target_connection_id": "target", "class": "priority"}


@dataclass(frozen=True, slots=True)
class WantedFlow:
    """A flow as it shall be; `action` is needed only where the target offers several.

    `overrides` that are None stay as they are: what was published by hand is not undone by a file
    that does not speak of it.
    """

    name: str
    blueprint: str
    source: Id
    target: Id
    settings: dict[str, Any] = field(default_factory=dict)
    action: str = ""
    is_enabled: bool = True
    overrides: tuple[dict[str, Any], ...] | None = None


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

    A change raises the version by one, and every version is kept. Raises Unprocessable when the
    blueprint or a connection does not exist, the two systems do not fit it, or an override cannot
    be used.
    """
    values = await _values(session, wanted)
    row = await session.fetch_one(
        f"select id, {', '.join(_COLUMNS)} from flow"  # noqa: S608
        " where tenant_id = $1 and name = $2 for update",
        acting_tenant(session),
        wanted.name,
    )
    stored = None if row is None else {**dict(row), **{n: json.loads(row[n]) for n in _JSON}}
    values["overrides"] = _overrides(wanted, stored, values["event_types"])
    if row is None or stored is None:
        flow_id = await _create(session, wanted.name, values)
        await keep_present(session, flow_id, "Installed.")
        await _note(session, flow_id, Change("flow", f"The flow {wanted.name} was installed."))
        await _record(session, "flows.install_flow", flow_id, wanted)
        return flow_id, True
    if stored == {**values, "id": row["id"]}:
        return row["id"], False
    await keep_present(session, row["id"])
    await _update(session, row["id"], values)
    await keep_present(session, row["id"], "Changed by its configuration.")
    await _note(session, row["id"], _change(wanted.name, stored, values))
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


def _overrides(
    wanted: WantedFlow, stored: dict[str, Any] | None, event_types: list[str]
) -> list[dict[str, Any]]:
    """Give the rules a flow shall have; raises Unprocessable when one does not fit its events."""
    there: list[dict[str, Any]] = stored["overrides"] if stored else []
    rules = there if wanted.overrides is None else list(wanted.overrides)
    compile_overrides(rules, event_types)
    return rules


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


def _change(name: str, before: dict[str, Any], after: dict[str, Any]) -> Change:
    """Say what a change of a flow was: its mapping when the way records are written is concerned."""
    differing = [column for column in _COLUMNS if before[column] != after[column]]
    named = ", ".join(_WORDS.get(column, column.replace("_", " ")) for column in differing)
    kind: ChangeKind = "mapping" if _JSON & {*differing} else "flow"
    return Change(kind, f"The flow {name} was changed: {named}.")


async def _note(session: Session, flow_id: Id, change: Change) -> None:
    version = await session.fetch_value(
        "select version from flow where tenant_id = $1 and id = $2",
        acting_tenant(session),
        flow_id,
    )
    await note_change(session, replace(change, flow_id=flow_id, detail={"version": version}))


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
        json.dumps(values[column]) if column in _JSON else values[column] for column in _COLUMNS
    ]
