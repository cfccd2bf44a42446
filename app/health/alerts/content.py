"""What an alert is about, as it was when the alert was made: stored, so that repeats say the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from infra.database.unit import Row

# How many incidents a gathering alert names one by one.
NAMED = 10

# What to do first about a class of error at a system, in words; incidents know it.
NextStep: TypeAlias = Callable[[str, str], str]

# The incident `i` with its retailer `t` and its connection `c`, for `affected_of`.
AFFECTED_COLUMNS = (
    "i.id as incident_id, t.name as retailer, t.timezone, coalesce(nullif(c.title, ''), c.name,"
    " 'a system') as system, i.error_class, i.title, i.severity, i.held + i.waiting as records,"
    " i.at_risk::text, i.shops, i.deadline_at, i.since_at, i.cause::text,"
    " i.owner, i.due_at, i.resolved_at, i.state = 'resolved' as is_over"
)
AFFECTED_JOINS = (
    " join tenant t on t.id = i.tenant_id"
    " left join connection c on c.tenant_id = i.tenant_id and c.id = i.connection_id"
)


@dataclass(frozen=True, slots=True)
class Affected:
    """One incident of one retailer: what, since when (UTC), how much, who and until when."""

    incident_id: UUID
    retailer: str
    timezone: str
    system: str
    error_class: str
    title: str
    severity: int
    records: int
    at_risk: dict[str, Decimal]
    shops: tuple[str, ...]
    since: datetime
    is_over: bool
    deadline_at: datetime | None = None
    change: str = ""
    change_at: datetime | None = None
    next_step: str = ""
    owner: str = ""
    owner_due_at: datetime | None = None
    over_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What one alert tells: the gravest incidents by name, and sums over all of them.

    Sums leave out what is over by now; `over` counts those. `who` is the retailer, or how many.
    `news` says what has just happened, `note` what the reader should know about this channel.
    """

    who: str
    affected: tuple[Affected, ...] = ()
    alerts: int = 1
    incidents: int = 0
    over: int = 0
    retailers: int = 0
    records: int = 0
    at_risk: dict[str, Decimal] = field(default_factory=dict)
    deadline_at: datetime | None = None
    news: str = ""
    note: str = ""


def content_of(affected: Affected, news: str = "", note: str = "") -> Content:
    """Give the content of an alert about one incident."""
    return Content(
        who=affected.retailer,
        affected=(affected,),
        incidents=1,
        over=int(affected.is_over),
        retailers=1,
        records=affected.records,
        at_risk=affected.at_risk,
        deadline_at=affected.deadline_at,
        news=news,
        note=note,
    )


def affected_of(row: Row, next_step: NextStep) -> Affected:
    """Read a row of `AFFECTED_COLUMNS`; what is over needs no next step."""
    is_over: bool = row["is_over"]
    change, change_at = _change(row["cause"])
    return Affected(
        incident_id=UUID(str(row["incident_id"])),
        retailer=row["retailer"],
        timezone=row["timezone"],
        system=row["system"],
        error_class=row["error_class"],
        title=row["title"],
        severity=row["severity"],
        records=row["records"],
        at_risk=amounts_of(row["at_risk"]),
        shops=tuple(row["shops"]),
        since=row["since_at"],
        is_over=is_over,
        deadline_at=row["deadline_at"],
        change=change,
        change_at=change_at,
        next_step="" if is_over else next_step(row["error_class"], row["system"]),
        owner=row["owner"],
        owner_due_at=row["due_at"],
        over_at=row["resolved_at"],
    )


def amounts_of(text: str | None) -> dict[str, Decimal]:
    """Read stored money by currency."""
    found: dict[str, Any] = json.loads(text) if text else {}
    return {currency: Decimal(str(amount)) for currency, amount in found.items()}


def summed(all_amounts: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """Add money by currency."""
    total: dict[str, Decimal] = {}
    for amounts in all_amounts:
        for currency, amount in amounts.items():
            total[currency] = total.get(currency, Decimal(0)) + amount
    return total


def written(content: Content) -> str:
    """Write a content as it is stored: JSON, amounts as exact texts."""
    return msgspec.json.encode(content).decode()


def read(text: str) -> Content:
    """Read a stored content."""
    return msgspec.json.decode(text, type=Content)


def for_machines(content: Content) -> dict[str, Any]:
    """Give the content as plain JSON values, amounts and moments as texts."""
    plain: dict[str, Any] = msgspec.to_builtins(content)
    return plain


def _change(cause: str | None) -> tuple[str, datetime | None]:
    """Give the change that came just before, and when; or the words that there was none."""
    found = json.loads(cause) if cause else None
    if not isinstance(found, dict):
        return "", None
    words, at = found.get("words"), found.get("at")
    if not isinstance(words, str):
        return "", None
    return words, datetime.fromisoformat(at) if at else None
