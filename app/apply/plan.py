"""Compare what is wanted with what is there; gives the difference as data and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import SecretStr

from app.apply.current import (
    Current,
    CurrentConnection,
    CurrentFlow,
    CurrentPartner,
    CurrentRetailer,
)
from app.apply.document import ConnectionEntry, Document, FlowEntry, PartnerEntry, RetailerEntry
from app.connections.declared import check_secrets, check_settings
from app.connections.origin import origin_of
from app.flows.install import shape_of
from app.flows.overrides import compile_overrides

Act = Literal["create", "change", "store", "issue"]
Kind = Literal["partner", "retailer", "connection", "credential", "hook", "flow"]

# Credentials as read from where the file points: by partner/retailer/connection/field.
SecretValues = Mapping[str, SecretStr]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what to do with which thing (`harborline/maple-main/shop`), and which fields."""

    act: Act
    kind: Kind
    place: str
    fields: tuple[str, ...] = ()


def plan(document: Document, current: Current, secrets: SecretValues) -> tuple[Change, ...]:
    """List the changes in the order in which they must be made; empty when all is as wanted.

    Raises Unprocessable when a manifest does not know what is written, or a flow does not fit its
    two systems: before anything is written.
    """
    return tuple(
        change
        for partner in document.partners
        for change in _partner(partner, current.get(partner.slug), secrets)
    )


def brand_of(entry: PartnerEntry, there: CurrentPartner | None) -> dict[str, Any]:
    """Give the brand a partner shall have: as written, else as it is."""
    if entry.brand is not None:
        return dict(entry.brand)
    return there.brand if there else {}


def _partner(
    entry: PartnerEntry, there: CurrentPartner | None, secrets: SecretValues
) -> Iterator[Change]:
    wanted = {"name": entry.name, "brand": brand_of(entry, there)}
    stored = {"name": there.name, "brand": there.brand} if there else None
    yield from _difference("partner", entry.slug, wanted, stored)
    for retailer in entry.retailers:
        known = there.retailers.get(retailer.slug) if there else None
        yield from _retailer(f"{entry.slug}/{retailer.slug}", retailer, known, secrets)


def _retailer(
    place: str, entry: RetailerEntry, there: CurrentRetailer | None, secrets: SecretValues
) -> Iterator[Change]:
    names = ("name", "timezone", "currency")
    stored = {name: getattr(there, name) for name in names} if there else None
    yield from _difference("retailer", place, {n: getattr(entry, n) for n in names}, stored)
    for connection in entry.connections:
        known = there.connections.get(connection.name) if there else None
        yield from _connection(f"{place}/{connection.name}", connection, known, secrets)
    for flow in entry.flows:
        installed = there.flows.get(flow.name) if there else None
        yield from _flow(f"{place}/{flow.name}", entry, flow, installed)


def _connection(
    place: str, entry: ConnectionEntry, there: CurrentConnection | None, secrets: SecretValues
) -> Iterator[Change]:
    check_settings(entry.connector, entry.settings)
    check_secrets(entry.connector, entry.secrets)
    names = ("connector", "title", "settings", "state")
    stored = {name: getattr(there.config, name) for name in names} if there else None
    yield from _difference("connection", place, {n: getattr(entry, n) for n in names}, stored)
    # Credentials never follow to another host: all of them are stored anew.
    has_moved = there is not None and there.config.origin != origin_of(entry.settings)
    for field in entry.secrets:
        value = secrets[f"{place}/{field}"]
        if there is None or has_moved or not there.secrets.is_current(field, value):
            yield Change("store", "credential", f"{place}/{field}")
    if entry.hook and not (there and there.has_hook):
        yield Change("issue", "hook", place)


def _flow(
    place: str, retailer: RetailerEntry, entry: FlowEntry, there: CurrentFlow | None
) -> Iterator[Change]:
    shape = shape_of(
        entry.blueprint,
        retailer.connector_of(entry.source),
        retailer.connector_of(entry.target),
        entry.action,
    )
    there_overrides = there.overrides if there else ()
    overrides = there_overrides if entry.overrides is None else entry.overrides
    compile_overrides(overrides, shape.event_types)
    wanted = {
        "blueprint": shape,
        "from": entry.source,
        "to": entry.target,
        "settings": entry.settings,
        "enabled": entry.enabled,
        "overrides": overrides,
    }
    stored = (
        None
        if there is None
        else {
            "blueprint": there.shape,
            "from": there.source,
            "to": there.target,
            "settings": there.settings,
            "enabled": there.is_enabled,
            "overrides": there.overrides,
        }
    )
    yield from _difference("flow", place, wanted, stored)


def _difference(
    kind: Kind, place: str, wanted: Mapping[str, Any], stored: Mapping[str, Any] | None
) -> Iterable[Change]:
    if stored is None:
        return [Change("create", kind, place)]
    fields = tuple(name for name in wanted if wanted[name] != stored[name])
    return [Change("change", kind, place, fields)] if fields else []
