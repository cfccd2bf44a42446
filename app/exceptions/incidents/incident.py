"""An incident: the troubles of one cause at one connection of one retailer, taken as one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from infra.database.unit import Row

State = Literal["new", "ongoing", "regressed", "resolved"]
MomentKind = Literal[
    "opened",
    "grown",
    "regressed",
    "escalated",
    "cause_found",
    "assigned",
    "commented",
    "snoozed",
    "resolved",
]

COLUMNS = (
    "id, tenant_id, fingerprint, connection_id, connector, error_class, code, pointer, title, words,"
    " state, severity, held, waiting, peak, at_risk::text, shops, flows, deadline_at, deadline_words,"
    " cause::text, runbook, owner, due_at, snoozed_until, first_seen_at, last_seen_at, since_at,"
    " weight, told::text, resolved_at, resolved_by, resolution, updated_at"
)


@dataclass(frozen=True, slots=True)
class Incident:
    """One row; times are UTC, `at_risk` is exact money by currency.

    `since_at` is when it began this time, `first_seen_at` when it ever began. `told` says what was
    told this time: the highest severity, the share of a deadline (percent), the count of records.
    """

    id: UUID
    tenant_id: UUID
    fingerprint: bytes
    connection_id: UUID
    connector: str
    error_class: str
    code: str
    pointer: str
    title: str
    first_seen_at: datetime
    last_seen_at: datetime
    since_at: datetime
    words: str = ""
    state: State = "new"
    severity: int = 0
    held: int = 0
    waiting: int = 0
    peak: int = 0
    at_risk: Mapping[str, Decimal] = field(default_factory=dict)
    shops: tuple[str, ...] = ()
    flows: tuple[UUID, ...] = ()
    deadline_at: datetime | None = None
    deadline_words: str = ""
    cause: Mapping[str, Any] | None = None
    runbook: str = ""
    owner: str = ""
    due_at: datetime | None = None
    snoozed_until: datetime | None = None
    weight: Decimal = Decimal(0)
    told: Mapping[str, int] = field(default_factory=dict)
    resolved_at: datetime | None = None
    resolved_by: str = ""
    resolution: str = ""
    updated_at: datetime | None = None

    @property
    def records(self) -> int:
        """Count what is held and what waits."""
        return self.held + self.waiting


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of an incident's history; `detail` holds counts and money, never content."""

    kind: MomentKind
    words: str
    detail: Mapping[str, Any] = field(default_factory=dict)


def incident_of(row: Row) -> Incident:
    """Read a row of `COLUMNS`."""
    values: dict[str, Any] = dict(row)
    values["at_risk"] = {
        currency: Decimal(amount) for currency, amount in json.loads(row["at_risk"]).items()
    }
    values["told"] = json.loads(row["told"])
    values["cause"] = json.loads(row["cause"]) if row["cause"] else None
    values["shops"] = tuple(row["shops"])
    values["flows"] = tuple(row["flows"])
    return Incident(**values)
